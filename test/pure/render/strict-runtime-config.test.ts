import { describe, expect, test } from 'bun:test';
import { parseRuntimeConfig } from '../../../src/containers/render/config/runtime-config.ts';
import { findError } from '../../support/thrown-error.ts';

const head = '{"process": {"args": ["x"]}, "root": {"path": "rootfs", "readonly": true}';
const refusal = (rest: string): string | undefined => {
  const { message } = findError(() => parseRuntimeConfig(`${head}, ${rest}}`, 'c.json')) ?? {};
  return (
    /^Invalid configuration file\. {2}line 1, column \d+: (.*) \(c\.json\)$/.exec(message ?? '')?.[1] ??
    message
  );
};

describe('a configuration that runtimes read in two ways', () => {
  test.each<[string, string]>([
    ['"root": {}', "the key 'root' is there twice"],
    ['"ro\\u006ft": {}', "the key 'root' is there twice"],
    [
      '"linux": {"namespaces": [{"type": "mount"}, {"type": "pid", "type": "mount"}]}',
      "the key 'type' is there twice",
    ],
    ['"mounts": [{"options": [], "x": [[{"y": 1, "y": 2}]]}]', "the key 'y' is there twice"],
    ['"annotations": {"a": "1", "a": "2"}', "the key 'a' is there twice"],
    ['"__proto__": 1, "__proto__": 2', "the key '__proto__' is there twice"],
    ['"ROOT": {"readonly": false}', "the key 'ROOT' must be written 'root'"],
    ['"Root": null', "the key 'Root' must be written 'root'"],
    ['"mount\\u017f": []', "the key 'mount\u017f' must be written 'mounts'"],
    ['"hoo\\u212as": {}', "the key 'hoo\u212as' must be written 'hooks'"],
    ['"linux": {"MaskedPaths": []}', "the key 'MaskedPaths' must be written 'maskedPaths'"],
    [
      '"mounts": [{"annotations": {"Type": "1"}}, {"Source": "/"}]',
      "the key 'Source' must be written 'source'",
    ],
    ['"annotations": {"x": {"Root": 1}}', "the key 'Root' must be written 'root'"],
    ['"root\\u0000x": {}', 'a string contains a NUL character'],
    ['"mounts": [{"destination": "/dev\\u0000x"}]', 'a string contains a NUL character'],
    ['"mounts": [{"source": "/srv/\\ud800"}]', 'a string contains half of a surrogate pair'],
  ])('%s', (rest, problem) => {
    expect(refusal(rest)).toBe(problem);
  });

  test.each([
    '"annotations": {"Root": "1", "ROOT": "2", "Type": "3"}',
    '"linux": {"sysctl": {"NET.x": "1"}, "resources": {"unified": {"CPU": "1"}}}',
    '"linux": {"resources": {"memory": {"limit": 9223372036854771712}, "pids": {"limit": 5}}}',
    '"ociVersion": "1.0.2", "hostname": "a\\u0062", "x": {"Unknown": 1}, "X-Extension": 2',
    '"mounts": [{"type": "a"}, {"type": "b"}], "windows": {"a": {"type": 1}, "b": {"type": 2}}',
  ])('%s is read in one way', (rest) => {
    expect(refusal(rest)).toBeUndefined();
  });
});
