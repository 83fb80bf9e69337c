import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Mounted, mountSubject } from '../../../src/containers/mount.ts';
import type { Host } from '../../../src/host/host.ts';
import { listMountsOf, removeEndedMounts } from '../../../src/store/mount/mount-folder.ts';
import { mountRoot } from '../../../src/store/mount/mount-root.ts';
import { unmountRoot } from '../../../src/store/mount/unmount.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import { type Registry, startRegistry } from '../../support/registry.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { describeTree } from '../../support/store/describe-tree.ts';
import { checkOut, createStore, pushNew, TEST_TIMEOUT_MS } from '../../support/store/store-fixture.ts';
import { tree } from '../../support/tree.ts';
import { takeSnapshot } from '../../support/tree-snapshot.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let registry: Registry;
let store: Sandbox;
let host: Host;
let image: string;
let expected: string[];
beforeAll(async () => {
  registry = await startRegistry();
  store = await createStore([registry]);
  host = store.host;
  image = await pushNew(registry, {
    layers: [
      tree`
        d ./ 01750 @3:4
        x ./ user.root=1
        d etc 0755
        f etc/name 0644 lower
        f etc/gone 0644 x
        d old 0755
        f old/file 0644 x
        f su 04755 @0:0 su
        d opaque 0755
        x opaque trusted.overlay.opaque=x
        f opaque/kept 0644 kept
        d moved 0755
        x moved trusted.overlay.redirect=/etc
        f moved/kept 0644 kept
      `,
      tree`
        d etc 0755
        f etc/name 0644 upper
        w etc/gone
        w old
      `,
    ],
  });
  const pulled = await pullImage(host, image, {});
  expected = describeTree(await checkOut(store, pulled));
});
afterAll(async () => {
  await store.remove();
  await registry.stop();
});

let at = '';
let count = 0;
beforeEach(() => {
  count += 1;
  at = store.folder.join(`point-${count}`);
  mkdirSync(at);
});
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  run('umount', at);
  await removeEndedMounts(host);
  expect(listFolders(host)).toEqual([]);
});

const mount = (directory = at, as: Host = host): Promise<Mounted> =>
  mountSubject(as, { subject: image, directory, options: ['ro', 'nosuid', 'nodev'] });

function listFolders({ locations }: Host): string[] {
  const folder = `${locations.state}/mounts`;
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'lock') : [];
}

function run(...argv: string[]): number | null {
  const [program = '', ...args] = argv;
  return spawnSync(program, args).status;
}

test('shows the merged root; attributes of overlays in the image hide no file', async () => {
  await mount();
  // The kernel keeps the attributes of overlays to itself.
  const visible = expected.map((line) => line.replaceAll(/ trusted\.overlay\.\S+/g, ''));
  expect(describeTree(at)).toEqual(visible);
  expect(expected.filter((line) => line.includes('trusted.overlay.'))).toHaveLength(2);
});

test('no write reaches the store, after any remount', async () => {
  const objects = `${store.locations.repository}/objects`;
  const before = takeSnapshot(objects);
  await mount();
  expect(run('mount', '-o', 'remount,rw', at)).not.toBe(0);
  expect(run('mount', '-o', 'remount,bind,rw', at)).toBe(0);
  for (const path of ['etc/name', 'etc/new', 'new']) {
    expect(() => writeFileSync(`${at}/${path}`, 'x')).toThrow('EROFS');
  }
  for (const change of [
    ['chmod', '777'],
    ['chown', '9'],
    ['setfattr', '-n', 'user.x', '-v', '1'],
  ]) {
    expect(run(...change, `${at}/etc/name`)).not.toBe(0);
  }
  expect(takeSnapshot(objects)).toEqual(before);
});

test('its data on the disk is for root only, and is removed with the mount', async () => {
  await mount();
  const [id = ''] = listFolders(host);
  const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
  const folder = `${store.locations.state}/mounts`;
  expect([mode(folder), mode(`${folder}/${id}`)]).toEqual(['700', '700']);
  expect(await unmountRoot(host, at)).toMatchObject({
    directory: at,
    outcome: 'unmounted',
    record: { kind: 'image', name: image, deployment: '', directory: at },
    keptBy: undefined,
  });
  expect([readdirSync(at), listFolders(host)]).toEqual([[], []]);
});

test.each([',:\\ "=', 'lowerdir=a,upperdir=b', 'new\nline', 'ü'])(
  'odd characters in paths: %p',
  async (name) => {
    const odd = `${at}/${name}`;
    mkdirSync(odd);
    mkdirSync(`${at}/state ${name}`);
    const elsewhere = { ...host, locations: { ...host.locations, state: `${at}/state ${name}` } };
    await mount(odd, elsewhere);
    expect(readdirSync(odd)).toContain('etc');
    await unmountRoot(elsewhere, odd);
    expect([readdirSync(odd), listFolders(elsewhere)]).toEqual([[], []]);
  },
);

test('a symlink to the directory', async () => {
  const link = `${at}-link`;
  symlinkSync(at, link);
  expect((await mount(link)).directory).toBe(at);
  expect((await unmountRoot(host, link)).directory).toBe(at);
});

test('bad destinations', async () => {
  writeFileSync(`${at}/file`, '');
  const inStore = `${store.locations.checkouts}/here`;
  mkdirSync(inStore);
  for (const [directory, error] of [
    [at, { code: 'FILE_CONFLICT', message: 'The destination path is not empty.' }],
    [`${at}/none`, { code: 'BAD_VALUE', message: `mounting at ${at}/none: there is no such directory` }],
    [`${at}/file`, { code: 'BAD_VALUE', message: `mounting at ${at}/file: it is not a directory` }],
    [inStore, { code: 'BAD_VALUE', message: `mounting at ${inStore}: it is inside the image store` }],
  ] as const) {
    expect(await mount(directory).catch((error) => error)).toMatchObject(error);
  }
  rmdirSync(inStore);
});

test('of two mounts at the same directory at once, one succeeds', async () => {
  const results = await Promise.allSettled([mount(), mount()]);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toMatchObject([
    { code: 'FILE_CONFLICT', message: `mounting at ${at}: something was mounted there meanwhile` },
  ]);
  await unmountRoot(host, at);
  expect(readdirSync(at)).toEqual([]);
});

test('a user who is not root, and an unknown name', async () => {
  const user = { ...host, uid: 1000 };
  const message = 'Need to be root to mount a container.';
  expect(await mount(at, user).catch((error) => error)).toMatchObject({ code: 'NOT_ROOT', message });
  expect(await unmountRoot(user, at).catch((error) => error)).toMatchObject({ code: 'NOT_ROOT' });
  const nothing = mountSubject(host, { subject: 'etcd', directory: at, options: [] });
  expect(await nothing.catch((error) => error)).toMatchObject({
    code: 'IMAGE_NOT_FOUND',
    message: "Could not find any image matching 'etcd'",
  });
});

test('an interruption leaves nothing', async () => {
  const interrupted = { ...host, signal: AbortSignal.abort() };
  expect(await mount(at, interrupted).catch((error) => error)).toMatchObject({ code: 'INTERRUPTED' });
  expect([readdirSync(at), listFolders(host)]).toEqual([[], []]);
});

test('a mount in use: the error names the processes, and nothing changes', async () => {
  await mount();
  const child = spawn('/bin/sh', ['-c', 'echo; read _'], {
    cwd: `${at}/etc`,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  mkdirSync(`${at}-other`);
  expect(run('mount', '--bind', `${at}-other`, `${at}/moved`)).toBe(0);
  expect(await unmountRoot(host, at).catch((error) => error)).toMatchObject({
    code: 'MOUNT_IN_USE',
    exitStatus: 1,
    message: `unmounting ${at}: it is in use by process ${child.pid} (sh), the mount at ${at}/moved`,
    details: { directory: at, processes: [{ pid: child.pid, command: 'sh' }], mounts: [`${at}/moved`] },
  });
  expect(readdirSync(`${at}/etc`)).toEqual(['name']);
  expect(listFolders(host)).toHaveLength(1);
  run('umount', `${at}/moved`);
});

test('after umount(8): removes the remaining data and reports it', async () => {
  await mount();
  run('umount', at);
  expect(await unmountRoot(host, at)).toMatchObject({ outcome: 'cleaned', keptBy: undefined });
  expect(listFolders(host)).toEqual([]);
  rmdirSync(at);
  expect(await unmountRoot(host, at).catch((error) => error)).toMatchObject({
    code: 'NOT_MOUNTED',
    message: `unmounting ${at}: nothing is mounted there`,
  });
  mkdirSync(at);
});

test('mounts of other programs are refused, also one over a mount of atomic', async () => {
  run('mount', '-t', 'tmpfs', 'other', at);
  expect(await unmountRoot(host, at).catch((error) => error)).toMatchObject({
    code: 'NOT_MOUNTED',
    message: `unmounting ${at}: what is mounted there, other, is not a mount of atomic`,
    hint: '`findmnt --type overlay` shows atomic:... where atomic has mounted something.',
  });
  run('umount', at);
  await mount();
  run('mount', '-t', 'tmpfs', 'other', at);
  expect(await unmountRoot(host, at).catch((error) => error)).toMatchObject({
    code: 'NOT_MOUNTED',
    message: `unmounting ${at}: other is mounted over it`,
    hint: `Unmount that with \`umount ${at}\`, and repeat the command.`,
  });
  run('umount', at);
  expect(readdirSync(at)).toContain('etc');
});

test('a bind mount of it in the same namespace is named by its place, and ends it', async () => {
  await mount();
  const other = `${at}-bind`;
  mkdirSync(other);
  expect(run('mount', '--bind', at, other)).toBe(0);
  expect(await unmountRoot(host, at)).toMatchObject({ stillAt: [other], keptBy: undefined });
  expect([readdirSync(other).includes('etc'), listFolders(host).length]).toEqual([true, 1]);
  expect(await unmountRoot(host, other)).toMatchObject({ outcome: 'unmounted', stillAt: [] });
  expect(listFolders(host)).toEqual([]);
});

test('the files stay while another mount namespace shows them, and go afterwards', async () => {
  await mount();
  const child = spawn('unshare', ['--mount', '/bin/sh', '-c', `echo; read _; cat '${at}/etc/name'; read _`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  expect(await unmountRoot(host, at)).toMatchObject({ outcome: 'unmounted', keptBy: child.pid });
  await removeEndedMounts(host);
  expect(listFolders(host)).toHaveLength(1);
  child.stdin.write('\n');
  const [text] = await once(child.stdout, 'data');
  expect(String(text)).toBe('upper');
});

test('the mounts of a deployment are found while they exist', async () => {
  const deployment = `${store.locations.checkouts}/etcd.0`;
  mkdirSync(`${deployment}/rootfs/etc`, { recursive: true });
  const point = { path: at, held: at };
  const record = { kind: 'container', name: 'etcd', deployment } as const;
  const source = { kind: 'folder', path: `${deployment}/rootfs` } as const;
  await mountRoot(host, { source, record, point, options: [] });
  expect(await listMountsOf(host, deployment)).toEqual([at]);
  expect(await listMountsOf(host, `${store.locations.checkouts}/etcd.1`)).toEqual([]);
  run('umount', at);
  expect(await listMountsOf(host, deployment)).toEqual([]);
});
