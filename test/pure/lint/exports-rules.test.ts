import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { exportsRules } from '../../../src/containers/lint/exports-rules.ts';
import type { ImageFiles } from '../../../src/containers/lint/image-path.ts';
import { lintAgainstImage } from '../../../src/containers/lint/image-rules.ts';
import { findInterpreter } from '../../../src/containers/lint/interpreter.ts';
import { lintManifest, lintNames } from '../../../src/containers/lint/manifest-rules.ts';
import { lintUnit, listNeededPrograms } from '../../../src/containers/lint/unit-rules.ts';

const values = { DESTDIR: '/var/lib/containers/atomic/web.0', NAME: 'web' };

test('the rules are in the manual, with their levels', () => {
  const manual = readFileSync(`${import.meta.dir}/../../../docs/image-format.md`, 'utf8');
  const rows = [...manual.matchAll(/^\| `([a-z-]+)` \| [^|]* \| (error|warning) \|$/gm)];
  expect(Object.fromEntries(rows.map(([, name, level]) => [name, level]))).toEqual(exportsRules);
});

describe('a unit', () => {
  const lint = (service: string, install = '[Install]\nWantedBy=multi-user.target\n') =>
    lintUnit(`[Service]\n${service}\n${install}`, values).map(({ rule }) => rule);
  const folder = 'WorkingDirectory=/var/lib/containers/atomic/web.0';

  test.each([
    ['complete', `ExecStart=/usr/bin/runc run web\n${folder}`],
    [
      'in the folder of the active deployment',
      'ExecStart=/bin/crun run web\nWorkingDirectory=-/var/lib/containers/atomic/web/',
    ],
    ['with a bundle', 'ExecStart=/usr/bin/runc run --bundle /srv/b web'],
    ['without a runtime', 'ExecStart=/bin/sleep 5'],
    ['whose shell starts the runtime', `ExecStart=/bin/sh -c 'cd /x; exec /usr/bin/runc run web'`],
    ['forking and detached', `Type=forking\nExecStart=/usr/bin/runc run -d --pid-file /run/p web\n${folder}`],
    ['oneshot and detached', `Type=oneshot\nExecStart=/usr/bin/runc run --detach web\n${folder}`],
  ])('%s has no fault', (_, service) => {
    expect(lint(service)).toEqual([]);
  });

  test.each([
    ['no-bundle-folder', 'ExecStart=-/usr/bin/runc --systemd-cgroup run web'],
    ['no-bundle-folder', `ExecStart=/usr/bin/runc run web\n${folder}\nWorkingDirectory=`],
    ['other-bundle-folder', `ExecStart=/usr/bin/runc run web\n${folder}/rootfs`],
    ['forking-in-foreground', `Type=forking\nExecStart=/usr/bin/runc run web\n${folder}`],
    ['detached-without-forking', `ExecStart=/usr/bin/runc run -d web\n${folder}`],
    ['detached-without-forking', `Type=exec\nExecStart=/usr/bin/crun run --detach web\n${folder}`],
  ])('%s: %j', (rule, service) => {
    expect(lint(service)).toEqual([rule as never]);
  });

  test('that nothing enables is found, also with an empty WantedBy', () => {
    for (const install of ['', '[Install]\n', '[Install]\nWantedBy=\n', '[Unit]\nWantedBy=x.target\n']) {
      expect(lint('ExecStart=/bin/true', install)).toEqual(['no-install-section']);
    }
    expect(lint('ExecStart=/bin/true', '[Install]\nAlias=other.service\n')).toEqual([]);
  });

  test('needs the programs before and at its start, except those that may fail', () => {
    const unit = `[Service]
ExecStartPre=-/opt/may-fail
ExecStartPre=+/opt/prepare now
ExecStart=@/opt/serve serve --all
ExecStop=/opt/stop
`;
    expect(listNeededPrograms(unit)).toEqual(['/opt/prepare', '/opt/serve']);
  });
});

describe('the command of an image', () => {
  type Entry = 'directory' | `-> ${string}` | { readonly text: string; readonly isExecutable?: boolean };

  function createFiles(entries: Readonly<Record<string, Entry>>): ImageFiles {
    return {
      look(path) {
        const entry = entries[path];
        if (entry === undefined) return undefined;
        if (typeof entry !== 'string') return { kind: 'file' };
        return entry === 'directory' ? { kind: entry } : { kind: 'symlink', target: entry.slice(3) };
      },
      readProgram(path) {
        const entry = entries[path];
        if (typeof entry !== 'object') return undefined;
        return { isExecutable: entry.isExecutable ?? true, start: Buffer.from(entry.text) };
      },
    };
  }

  const shell = { text: '\x7fELF' };
  const usual: Record<string, Entry> = {
    '/bin': '-> usr/bin',
    '/usr': 'directory',
    '/usr/bin': 'directory',
    '/usr/bin/sh': '-> ../../../../usr/bin/dash',
    '/usr/bin/dash': shell,
    '/usr/bin/env': shell,
    '/srv': 'directory',
  };
  const find = (args: readonly string[], entries: Record<string, Entry> = {}, more: object = {}) =>
    lintAgainstImage(
      { process: { args, env: ['PATH=/usr/local/bin:/bin'], cwd: '/srv' }, ...more },
      { files: createFiles({ ...usual, ...entries }), volumes: [], userIds: undefined, hasOwnConfig: true },
    ).map(({ rule, text }) => `${rule}: ${text}`);

  test.each([[['sh', '-c', 'x']], [['/bin/sh']], [['/usr/bin/../bin/sh']], [['../bin/sh']]])(
    '%j is found through symlinks, PATH and the working directory',
    (args) => {
      expect(find(args)).toEqual([]);
    },
  );

  test('that is in no folder is found missing', () => {
    expect(find(['nginx'])).toEqual([
      "command-not-found: process.args[0] 'nginx' is in no folder of PATH in the image (/usr/local/bin:/bin)",
    ]);
    expect(find(['/opt/nginx'])).toEqual([
      "command-not-found: process.args[0] '/opt/nginx' is not in the image",
    ]);
    expect(find(['./serve'])).toEqual(["command-not-found: process.args[0] './serve' is not in the image"]);
    // The command below the init of the default configuration.
    expect(find(['/dev/init', '--', './serve'])).toEqual(find(['./serve']));
    expect(find(['/srv/a'], { '/srv/a': '-> b', '/srv/b': '-> a' })).toHaveLength(1);
  });

  test('may come from a mount, also through a symlink', () => {
    const mounts = [{ destination: '/usr/bin/', type: 'bind', source: '/x', options: ['bind'] }];
    expect(find(['/bin/nginx'], {}, { mounts })).toEqual([]);
    expect(find(['nginx'], {}, { mounts })).toEqual([]);
    const copied = [{ destination: '/usr/bin', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }];
    expect(find(['nginx'], {}, { mounts: copied })).toHaveLength(1);
  });

  test('must be a file that may be executed', () => {
    expect(find(['/srv'])).toEqual([
      "command-not-executable: process.args[0] '/srv' is a folder of the image",
    ]);
    expect(find(['/srv/run'], { '/srv/run': { text: '#!/bin/sh\n', isExecutable: false } })).toEqual([
      "command-not-executable: process.args[0] '/srv/run' is not executable in the image: /srv/run has no x bit",
    ]);
  });

  test.each([
    ['#!/bin/sh -e\n', undefined],
    ['#! /usr/bin/env sh\n', undefined],
    ['#!/usr/bin/env -S sh -e\n', undefined],
    ['no script', undefined],
    ['#!/bin/bash\n', 'needs /bin/bash, which is no program of the image'],
    ['#!/bin/sh\r\n', 'needs /bin/sh , which is no program of the image'],
    ['#!/usr/bin/env python3\n', 'needs python3, which is in no folder of PATH in the image'],
    ['#!/srv/middle\n', 'needs /opt/none, which is no program of the image'],
  ])('needs its interpreter: %j', (text, problem) => {
    const entries: Record<string, Entry> = { '/srv/run': { text }, '/srv/middle': { text: '#!/opt/none\n' } };
    expect(find(['/srv/run'], entries)).toEqual(
      problem === undefined ? [] : [`interpreter-not-found: process.args[0] '/srv/run' ${problem}`],
    );
  });

  test('finds the dynamic linker of a real program, and nothing in its pieces', () => {
    const program = readFileSync('/usr/bin/env').subarray(0, 4096);
    expect(findInterpreter(program)?.path).toMatch(/^\/lib.*\/ld-linux.*\.so\.\d$/);
    for (let length = 0; length < 1200; length += 7) {
      expect(() => findInterpreter(program.subarray(0, length))).not.toThrow();
    }
  });

  test('users without a name and volumes without a mount are found for a configuration of the image', () => {
    const config = {
      process: { user: { uid: 33 } },
      mounts: [{ destination: '/data', type: 'bind', source: '/x', options: ['bind'] }],
    };
    const image = {
      ...{ files: createFiles({}), volumes: ['/data/db/', '/var/log', '/database'] },
      userIds: new Set([0, 34]),
    };
    const list = (hasOwnConfig: boolean) => lintAgainstImage(config, { ...image, hasOwnConfig });
    expect(
      list(true).map(({ rule, text }) => [rule, /(?: at|^process.user.uid) (\S+)/.exec(text)?.[1]]),
    ).toEqual([
      ['unnamed-user', '33'],
      ['volume-without-mount', '/var/log,'],
      ['volume-without-mount', '/database,'],
    ]);
    expect(list(false)).toEqual([]);
  });
});

describe('names', () => {
  test('that are nearly those of /exports are found', () => {
    expect(lintNames(['config.json.tmpl', 'service.template', 'README', 'hostfs'])).toMatchObject([
      { rule: 'misnamed-file', file: 'config.json.tmpl' },
    ]);
    expect(lintNames(['config.json', 'config.json.template'])).toMatchObject([
      { rule: 'two-configurations' },
    ]);
    expect(lintNames(['config.json', 'manifest.json', 'tmpfiles.template'])).toEqual([]);
  });

  test('of keys and defaults without effect are found', () => {
    const manifest = {
      ...{ version: 1, renameFile: {}, odd: 1 },
      defaultValues: { PORT: 1, PROT: 2, NAME: 'x', RUN_DIRECTORY: '/x', UUID: 'y' },
    };
    const found = lintManifest(manifest, (variable) => variable === 'PORT');
    expect(found.map(({ text }) => text)).toEqual([
      'renameFile is no key of manifest.json; did you mean renameFiles?',
      'odd is no key of manifest.json',
      'defaultValues.PROT is used by no template',
      'defaultValues.NAME has no effect: install sets this variable',
      'defaultValues.RUN_DIRECTORY has no effect: install sets this variable',
    ]);
  });
});
