import { describe, expect, test } from 'bun:test';
import {
  type Aspect,
  type FileNode,
  listAspects,
  listGainedPrivileges,
} from '../../../src/store/file-change.ts';

const common = { uid: 0, gid: 0, mode: 0o755, xattrs: new Map<string, Buffer>() };
const file: FileNode = { type: 'file', ...common, size: 10 };
const directory: FileNode = { type: 'directory', ...common };
const symlink: FileNode = { type: 'symlink', ...common, mode: 0o777, target: 'a' };
const netRaw = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const withCapability: FileNode = { ...file, xattrs: new Map([['security.capability', netRaw]]) };

describe('what changed', () => {
  test.each<[string, FileNode, FileNode, boolean, Aspect[]]>([
    ['nothing', file, file, true, []],
    ['content of the same size', file, file, false, [{ what: 'content' }]],
    [
      'size and content',
      file,
      { ...file, size: 12 },
      false,
      [{ what: 'size', before: 10, after: 12 }, { what: 'content' }],
    ],
    ['mode', file, { ...file, mode: 0o4755 }, true, [{ what: 'mode', before: '0755', after: '4755' }]],
    [
      'owner of a directory',
      directory,
      { ...directory, uid: 1, gid: 2 },
      false,
      [{ what: 'owner', before: '0:0', after: '1:2' }],
    ],
    ['target', symlink, { ...symlink, target: 'b' }, false, [{ what: 'target', before: 'a', after: 'b' }]],
    ['the mode of a symlink, which means nothing', symlink, { ...symlink, mode: 0o755 }, false, []],
    ['type', directory, file, false, [{ what: 'type', before: 'directory', after: 'file' }]],
    [
      'type to symlink, whose mode means nothing',
      file,
      symlink,
      false,
      [{ what: 'type', before: 'file', after: 'symlink' }],
    ],
    [
      'capabilities, before other attributes',
      {
        ...file,
        xattrs: new Map([
          ['a.b', Buffer.from('1')],
          ['user.same', Buffer.from('1')],
        ]),
      },
      {
        ...file,
        xattrs: new Map([
          ['user.same', Buffer.from('1')],
          ['user.new', Buffer.from('2')],
          ['security.capability', netRaw],
        ]),
      },
      true,
      [
        { what: 'capabilities', before: undefined, after: 'cap_net_raw=ep' },
        { what: 'xattr', name: 'a.b', before: Buffer.from('1'), after: undefined },
        { what: 'xattr', name: 'user.new', before: undefined, after: Buffer.from('2') },
      ],
    ],
  ])('%s', (_, before, after, hasSameContent, aspects) => {
    expect(listAspects(before, after, hasSameContent)).toEqual(aspects);
  });
});

describe('gained privileges', () => {
  const setuid: FileNode = { ...file, mode: 0o4755 };
  const change = (before: FileNode, after: FileNode) =>
    ({ kind: 'changed', path: '/x', before, after, aspects: [] }) as const;

  test.each<[string, Parameters<typeof listGainedPrivileges>[0], string[]]>([
    ['an added setuid file', { kind: 'added', path: '/x', after: { ...setuid, uid: 7 } }, ['setuid 7']],
    [
      'an added setgid file',
      { kind: 'added', path: '/x', after: { ...file, mode: 0o2755, gid: 5 } },
      ['setgid 5'],
    ],
    [
      'setgid without execution by the group',
      { kind: 'added', path: '/x', after: { ...file, mode: 0o2744 } },
      [],
    ],
    ['a setgid directory', { kind: 'added', path: '/x', after: { ...directory, mode: 0o6755 } }, []],
    ['a removed one', { kind: 'removed', path: '/x', before: setuid }, []],
    ['the same as before', change(setuid, { ...setuid, size: 99 }), []],
    ['of another user', change({ ...setuid, uid: 7 }, setuid), ['setuid 0']],
    ['capabilities', change(setuid, { ...withCapability, mode: 0o4755 }), ['cap_net_raw=ep']],
    ['a symlink that becomes a setuid file', change(symlink, setuid), ['setuid 0']],
  ])('%s', (_, changed, gained) => {
    expect(listGainedPrivileges(changed)).toEqual(gained);
  });
});
