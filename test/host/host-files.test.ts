/** Images with files for the host: an image like the original's `atomic-test-system-hostfs`, and failures. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { diffLooks, type HostLook } from './support/own-changes.ts';

const lib = '/usr/local/lib/atomic-test';
const manifest = {
  defaultValues: { WORD: 'hello', MESSAGE: 'nothing' },
  renameFiles: {
    [`${lib}/placeholder-file`]: `${lib}/renamed-$NAME`,
    '/usr/local/etcdctl': '/usr/local/bin/$NAME-ctl',
  },
  installedFilesTemplate: [`${lib}/secret-message-template`],
  useLinks: false,
};
const hostfs = tree`
  l exports/hostfs/broken-symlink -> nowhere
  d exports/hostfs/usr/local/atomic-test-empty 0750 @0:42
  d exports/hostfs/usr/local/lib/atomic-test 0711
  f exports/hostfs/usr/local/lib/atomic-test/secret-message 0640 @0:42 secret
  f exports/hostfs/usr/local/lib/atomic-test/secret-message-template 0600 $MESSAGE from $NAME
  f exports/hostfs/usr/local/lib/atomic-test/placeholder-file 0644 empty
  f exports/hostfs/usr/local/etcdctl 0755 ctl
`;
const paths = [
  '/broken-symlink',
  '/usr/local/atomic-test-empty',
  '/usr/local/bin/web-ctl',
  `${lib}/renamed-web`,
  `${lib}/secret-message`,
  `${lib}/secret-message-template`,
];

let images: ImageSource;
let image: string;
let clean: HostLook;

beforeAll(async () => {
  images = await openImageSource();
  image = await push('hostfs', manifest, hostfs);
  await atomic(['install', '--system', '--name', 'web', image]);
  await atomic(['uninstall', 'web']);
  clean = readHostState(['/usr/local']);
});
afterAll(() => images[Symbol.asyncDispose]());

beforeEach(async () => {
  await atomic(['recover']);
  for (const name of ['web', 'other'])
    if (existsSync(`${checkouts}/${name}`)) await atomic(['uninstall', name]);
  for (const path of [lib, '/broken-symlink', '/broken-symlink.atomic-new']) {
    rmSync(path, { recursive: true, force: true });
  }
});

async function push(name: string, json: unknown, extra: readonly TarEntry[]): Promise<string> {
  const exports = { ...serviceExports, 'manifest.json': JSON.stringify(json) };
  const reference = await images.push(name, { exports, extra });
  await atomic(['pull', reference]);
  return reference;
}

async function expectClean(): Promise<void> {
  expect(diffLooks(clean, readHostState(['/usr/local']))).toEqual([]);
  expect(existsSync('/broken-symlink')).toBe(false);
}

const install = (reference = image, ...more: readonly string[]) =>
  runAtomic(['install', '--system', '--name', 'web', ...more, reference]);

function readInfo(): Record<string, unknown> {
  return JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8'));
}

describe('an install', () => {
  test('writes each file with its mode, owner and values, and prints its path', async () => {
    const { stderr, stdout } = await install(image, '--set', 'MESSAGE=hi');
    for (const path of paths) expect(`${stdout}${stderr}`).toContain(`Created file ${path}\n`);
    expect(readFileSync(`${lib}/secret-message-template`, 'utf8')).toBe('hi from web');
    expect(readFileSync(`${lib}/renamed-web`, 'utf8')).toBe('empty');
    const status = lstatSync(`${lib}/secret-message`);
    expect([status.mode & 0o7777, status.gid]).toEqual([0o640, 42]);
    expect(lstatSync(lib).mode & 0o7777).toBe(0o711);
    expect(lstatSync('/usr/local/atomic-test-empty').mode & 0o7777).toBe(0o750);
    expect(readlinkSync('/broken-symlink')).toBe('nowhere');
    expect(stderr).toContain('a file on the host: /usr/local/bin/web-ctl');
    const info = readInfo();
    expect([...(info['installed-files'] as string[])].sort()).toEqual([...paths].sort());
    expect(info['installed-files-checksum']).toMatchObject({
      '/broken-symlink': '0',
      '/usr/local/atomic-test-empty': '0',
      [`${lib}/renamed-web`]: new Bun.CryptoHasher('sha256').update('empty').digest('hex'),
    });
    expect(info['rename-installed-files']).toMatchObject({ '/usr/local/etcdctl': '/usr/local/bin/web-ctl' });
    expect(info['installed-files-template']).toEqual([`${lib}/secret-message-template`]);
    expect(info['use-links']).toBe(false);
    await atomic(['uninstall', 'web']);
    await expectClean();
  });

  test('is planned in full', async () => {
    const { stdout } = await install(image, '--display');
    for (const path of paths) expect(stdout).toMatch(new RegExp(`# Host (file|folder|symlink) ${path} `));
    const { plan } = JSON.parse((await install(image, '--display', '--json')).stdout);
    expect(plan.host_files.map(({ path }: { path: string }) => path).sort()).toEqual([...paths].sort());
    await expectClean();
  });

  test('does not replace a file of the host, and writes its own file beside it only with --keep-new', async () => {
    mkdirSync(lib);
    writeFileSync(`${lib}/secret-message`, 'mine');
    const { stderr, stdout } = await install();
    expect(`${stdout}${stderr}`.split(`File ${lib}/secret-message already exists`)).toHaveLength(2);
    await atomic(['uninstall', 'web']);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('mine');
    await install(image, '--keep-new');
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('mine');
    expect(readFileSync(`${lib}/secret-message.atomic-new`, 'utf8')).toBe('secret');
    await atomic(['uninstall', 'web']);
    expect(existsSync(`${lib}/secret-message.atomic-new`)).toBe(false);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('mine');
  });

  test('of a path of another container is refused, naming both', async () => {
    await install();
    const stderr = await failingAtomic(1, ['install', '--system', '--name', 'other', image]);
    expect(stderr).toContain('Cannot install other: /broken-symlink is a file of the container web');
    expect(existsSync(`${checkouts}/other`)).toBe(false);
  });

  test('does not follow a symlink of the host', async () => {
    mkdirSync('/tmp/elsewhere', { recursive: true });
    symlinkSync('/tmp/elsewhere', lib);
    expect((await install()).stderr).toContain(`${lib} is a symlink to /tmp/elsewhere`);
    rmSync(lib);
    await expectClean();
  });

  test.each([
    ['/etc/shadow', 'which never comes from an image'],
    ['/etc/systemd/system/web.service', 'which belongs to atomic'],
    ['/etc/atomic/web.d/10-root.json', 'which belongs to atomic'],
    ['/etc/atomic/other.d/10-root.json', 'which belongs to atomic'],
    ['/etc/../etc/shadow', "has '..' in it"],
  ])('of %s is refused', async (path, reason) => {
    const renamed = { ...manifest, renameFiles: { '/usr/local/etcdctl': '$TARGET' } };
    const bad = await push('bad', renamed, hostfs);
    expect((await install(bad, '--set', `TARGET=${path}`)).stderr).toContain(reason);
    await expectClean();
  });

  test('without a value for a renamed file is refused in the words of the original', async () => {
    const renamed = { ...manifest, renameFiles: { '/usr/local/etcdctl': '$TARGET' } };
    const bad = await push('bad', renamed, hostfs);
    expect((await install(bad)).stderr).toContain(
      "The template file 'manifest.json' still contains an unreplaced value for: ''TARGET''",
    );
  });

  test.each([
    [
      '1025 files',
      Array.from({ length: 1025 }, (_, index) => `f${index}`),
      'more than 1024 files and folders',
    ],
    ['a path of 65 parts', ['d/'.repeat(64)], 'a path of more than 64 parts'],
  ])('of %s is refused', async (_, paths, reason) => {
    const files = paths.flatMap((path) => tree`f exports/hostfs/${path}x 0644 x`);
    const bad = await push('bad', manifest, files);
    expect((await install(bad)).stderr).toContain(`it has ${reason} for the host in /exports/hostfs`);
    await expectClean();
  });

  test('that fails removes its files', async () => {
    const exports = {
      ...serviceExports,
      'manifest.json': JSON.stringify(manifest),
      'tmpfiles.template': 'L+ /proc/nothing - - - - x\n',
    };
    const bad = await images.push('bad', { exports, extra: hostfs });
    await atomic(['pull', bad]);
    expect((await install(bad)).status).not.toBe(0);
    await expectClean();
  });
});

describe('an uninstall', () => {
  test('does not remove changed files, and files that a person has put into a folder', async () => {
    await install();
    writeFileSync(`${lib}/renamed-web`, 'edited');
    writeFileSync('/usr/local/atomic-test-empty/mine', '');
    const output = await runAtomic(['uninstall', 'web']);
    const text = `${output.stdout}${output.stderr}`;
    expect(text.split(`Will not delete ${lib}/renamed-web as it was manually modified.`)).toHaveLength(2);
    expect(readFileSync(`${lib}/renamed-web`, 'utf8')).toBe('edited');
    expect(existsSync(`${lib}/secret-message`)).toBe(false);
    expect(existsSync('/usr/local/atomic-test-empty/mine')).toBe(true);
    rmSync('/usr/local/atomic-test-empty', { recursive: true });
  });
});

describe('killed', () => {
  test.each([
    ['fsync', `${lib}/.secret-message.atomic-part`],
    ['rename', '/etc/systemd/system/.web.service.new'],
    ['rename', `${checkouts}/.web.link`],
  ])('at %s of %s, an install is whole or nothing', async (call, path) => {
    runKilled(['install', '--system', '--name', 'web', image], call, path);
    await atomic(['recover']);
    if (existsSync(`${checkouts}/web`)) {
      for (const one of paths) expect(lstatSync(one, { throwIfNoEntry: false })).toBeDefined();
      await atomic(['uninstall', 'web']);
    }
    await expectClean();
  });

  test('an uninstall is finished', async () => {
    await install();
    runKilled(['uninstall', 'web'], 'unlink', '/etc/systemd/system/web.service');
    await atomic(['recover']);
    await expectClean();
  });

  test('an update is undone', async () => {
    await install();
    await pushNext();
    runKilled(['containers', 'update', '--accept-widening', 'web'], 'fsync', `${lib}/.new.atomic-part`);
    await atomic(['recover']);
    expect(existsSync(`${lib}/new`)).toBe(false);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('secret');
    expect(readFileSync(`${lib}/renamed-web`, 'utf8')).toBe('empty');
    await atomic(['uninstall', 'web']);
    await expectClean();
  });
});

/** Another content, another file, and one less. */
async function pushNext(json: unknown = manifest): Promise<void> {
  const extra = hostfs
    .filter(({ path }) => !path.endsWith('placeholder-file'))
    .map((entry) => (entry.path.endsWith('/secret-message') ? { ...entry, content: 'second' } : entry));
  await push('hostfs', json, [...extra, ...tree`f exports/hostfs${lib}/new 0600 new`]);
}

describe.each([false, true])('an update, noContainerService %p', (noContainerService) => {
  const json = { ...manifest, noContainerService };

  test('replaces the files, and a rollback restores them', async () => {
    await install(await push('hostfs', json, hostfs), '--set', 'MESSAGE=hi');
    await pushNext(json);
    await atomic(['containers', 'update', '--accept-widening', 'web']);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('second');
    expect(readFileSync(`${lib}/new`, 'utf8')).toBe('new');
    expect(existsSync(`${lib}/renamed-web`)).toBe(false);
    const planned = await atomic(['containers', 'rollback', '--display', 'web']);
    for (const path of paths) expect(planned).toMatch(new RegExp(`# Host (file|folder|symlink) ${path} `));
    expect(planned).toContain(`# Host file ${lib}/secret-message (mode 0640, owner 0:42, 6 bytes, sha256 `);
    expect(planned).toContain('# Asks, and did not before: ');
    expect(planned).not.toContain(`${lib}/new`);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('second');
    await atomic(['containers', 'rollback', 'web']);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('secret');
    expect(readFileSync(`${lib}/secret-message-template`, 'utf8')).toBe('hi from web');
    expect(readFileSync(`${lib}/renamed-web`, 'utf8')).toBe('empty');
    expect(existsSync(`${lib}/new`)).toBe(false);
    await atomic(['containers', 'rollback', 'web']);
    expect(readFileSync(`${lib}/new`, 'utf8')).toBe('new');
    await atomic(['uninstall', 'web']);
    await expectClean();
  });

  test('does not replace a changed file, which stays recorded', async () => {
    await install(await push('hostfs', json, hostfs));
    writeFileSync(`${lib}/secret-message`, 'mine');
    chmodSync(`${lib}/secret-message`, 0o600);
    await pushNext(json);
    const run = await runAtomic(['containers', 'update', '--accept-widening', '--keep-new', 'web']);
    expect(`${run.stdout}${run.stderr}`).toContain(
      `Will not delete ${lib}/secret-message as it was manually modified.`,
    );
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('mine');
    expect(readFileSync(`${lib}/secret-message.atomic-new`, 'utf8')).toBe('second');
    expect(readInfo()['installed-files']).toContain(`${lib}/secret-message`);
    await atomic(['uninstall', 'web']);
    expect(readFileSync(`${lib}/secret-message`, 'utf8')).toBe('mine');
  });
});

test('an update whose service does not come up restores the files', async () => {
  await install(await push('hostfs', manifest, hostfs));
  await command('systemctl', 'start', 'web');
  const extra = [
    ...tree`f exports/hostfs${lib}/new 0600 new`,
    { path: 'bin/run.sh', mode: 0o755, content: '#!/bin/sh\nexit 1\n' },
  ];
  await push('hostfs', manifest, [...hostfs, ...extra]);
  const run = await runAtomic(['containers', 'update', '--accept-widening', '--settle', '0.5', 'web']);
  expect(run.status).toBe(1);
  expect(existsSync(`${lib}/new`)).toBe(false);
  expect(readFileSync(`${lib}/renamed-web`, 'utf8')).toBe('empty');
  expect((await command('systemctl', 'is-active', 'web')).trim()).toBe('active');
});

describe('a container of the original', () => {
  const [file, written] = ['/usr/lib/atomic-test-old', '/lib/atomic-test-old'];
  const runs = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

  function pushVersion(content: string, script: string) {
    const extra = [
      ...tree`f exports/hostfs/lib/atomic-test-old 0640 ${content}`,
      { path: 'bin/run.sh', mode: 0o755, content: `#!/bin/sh\n${script}\n` },
    ];
    return push('old', { defaultValues: { WORD: 'hello' } }, extra);
  }

  /** As the original leaves it: with the path before symlinks, and without copies of the files. */
  async function installAsOriginal(): Promise<void> {
    await install(await pushVersion('first', runs));
    rmSync(`${checkouts}/web.0/host-files`, { recursive: true });
    const { 'installed-links': _, 'created-host-folders': __, 'value-origins': ___, ...info } = readInfo();
    writeFileSync(`${checkouts}/web.0/info`, JSON.stringify(info).replaceAll(file, written));
  }

  test('keeps its files over an update that fails, and gets them back by a rollback', async () => {
    await installAsOriginal();
    await command('systemctl', 'start', 'web');
    const shared = await runAtomic([
      'install',
      '--system',
      '--name',
      'other',
      image.replace('hostfs', 'old'),
    ]);
    expect(shared.stderr).toContain(`Cannot install other: ${file} is a file of the container web`);
    await pushVersion('second', 'exit 1');
    const failed = await runAtomic(['containers', 'update', '--settle', '0.5', 'web']);
    expect(failed.stderr).toContain('web.0 is restored');
    expect(readFileSync(file, 'utf8')).toBe('first');
    expect(lstatSync(file).mode & 0o777).toBe(0o640);
    await pushVersion('third', runs);
    await atomic(['containers', 'update', '--settle', '0.5', 'web']);
    expect(readFileSync(file, 'utf8')).toBe('third');
    await atomic(['containers', 'rollback', '--settle', '0.5', 'web']);
    expect(readFileSync(file, 'utf8')).toBe('first');
    await atomic(['uninstall', 'web']);
    expect(existsSync(file)).toBe(false);
  });

  test('whose other deployment has no copies of its files is not rolled back', async () => {
    await installAsOriginal();
    await pushVersion('second', runs);
    await atomic(['containers', 'update', 'web']);
    rmSync(`${checkouts}/web.0/host-files`, { recursive: true });
    expect(await failingAtomic(1, ['containers', 'rollback', 'web'])).toContain(`kept no copy of ${file}`);
    expect(readFileSync(file, 'utf8')).toBe('second');
    await atomic(['uninstall', 'web']);
  });

  test('loses its files with an uninstall', async () => {
    await installAsOriginal();
    await atomic(['uninstall', 'web']);
    expect(existsSync(file)).toBe(false);
  });
});

test('an update that changes only owner and mode of a file changes them, and a rollback changes them back', async () => {
  const versions = [0o640, 0o600].map((mode) =>
    hostfs.map((entry) => (entry.path.endsWith('/secret-message') ? { ...entry, mode } : entry)),
  );
  await install(await push('hostfs', manifest, versions[0] ?? []));
  await push('hostfs', manifest, versions[1] ?? []);
  const readMode = () => lstatSync(`${lib}/secret-message`).mode & 0o777;
  await atomic(['containers', 'update', 'web']);
  expect(readMode()).toBe(0o600);
  await atomic(['containers', 'rollback', 'web']);
  expect(readMode()).toBe(0o640);
  chmodSync(`${lib}/secret-message`, 0o644);
  await atomic(['containers', 'rollback', 'web']);
  expect(readMode()).toBe(0o644);
});
