/** Commands on the store that are killed, refused by the disk or cut off from power: every listed image is complete. */
import { beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { buildImage } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { tree } from '../support/tree.ts';
import { checkouts } from './host-state.ts';
import { command } from './support/commands.ts';

setDefaultTimeout(60_000);

const repository = `${checkouts}/.storage/ostree`;
const refs = `${repository}/refs/heads/ociimage`;
const imageRef = `${refs}/web_3Alatest`;
const base = '/var/lib/containers/before';
const pullNew = ['pull', 'oci:/tmp/images:new', '--as', 'web:latest'];
const versions = new Map<string, string>();

beforeAll(async () => {
  for (const version of ['old', 'new']) {
    const layers = [
      tree`f etc/shared 0644 1`,
      tree`
        d usr/${version} 0750
        f usr/${version}/program 0755 ${version.repeat(2000)}
      `,
      tree`f srv/${version} 0644 ${version}`,
    ];
    await writeLayout('/tmp/images', buildImage({ layers }), version);
    await atomic(['pull', `oci:/tmp/images:${version}`, '--as', 'web:latest']);
    versions.set(await listIds(), version);
    await atomic(['-y', 'images', 'delete', 'web:latest']);
  }
  rmSync(checkouts, { recursive: true });
  await atomic(['pull', 'oci:/tmp/images:old', '--as', 'web:latest']);
  cpSync(checkouts, base, { recursive: true });
});

const listIds = async (): Promise<string> => (await atomic(['images', 'list', '-q', '--no-trunc'])).trim();

function reset(): void {
  rmSync(checkouts, { recursive: true, force: true });
  cpSync(base, checkouts, { recursive: true });
}

interface Fault {
  readonly calls: string;
  /** Of the process or thread that makes the call. */
  readonly when?: string;
  /** Only calls with this path, or a descriptor of it. */
  readonly path?: string;
}

/** Runs `atomic ARGS` with something injected at system calls; returns the exit status, or the signal. */
function runWith(inject: string, { calls, when = '1', path }: Fault, args: readonly string[]) {
  const options = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`];
  if (path !== undefined) options.push('-P', path);
  const injection = ['-e', `inject=${calls}:${inject}:when=${when}`];
  const { status, signal } = spawnSync('strace', [...options, ...injection, 'atomic', ...args]);
  return signal ?? status;
}

/**
 * Checks that the stored images are complete, for atomic and for OSTree, that the repeated command succeeds, and that
 * no temporary file is left.
 */
async function expectSound(repeat: readonly string[]): Promise<void> {
  if (existsSync(refs)) await command('ostree', 'fsck', '--quiet', `--repo=${repository}`);
  expect(await runAtomic(['images', 'list'])).toMatchObject({ status: 0, stderr: '' });
  await atomic(['images', 'verify']);
  await atomic(repeat);
  await atomic(['images', 'verify']);
  await atomic(['images', 'prune']);
  expect(readdirSync(refs).filter((name) => name.startsWith('tmp.'))).toEqual([]);
  expect(readdirSync(`${repository}/tmp`).filter((name) => name !== 'cache')).toEqual([]);
}

// Objects, a commit, the ref of a layer, the sync of those refs, and the image's own: its old one gets a second name first.
test.each<Fault>([
  { calls: 'renameat', when: '6' },
  { calls: 'rename', when: '5' },
  { calls: 'rename', when: '11' },
  { calls: 'fsync', path: refs },
  { calls: 'link', path: imageRef },
])('a pull that is killed at %j', async (fault) => {
  reset();
  expect(runWith('signal=KILL', fault, pullNew)).toBe('SIGKILL');
  expect(versions.has(await listIds())).toBe(true);
  await expectSound(pullNew);
  expect(versions.get(await listIds())).toBe('new');
});

test.each<Fault>([{ calls: 'syncfs' }, { calls: 'unlinkat', when: '2' }, { calls: 'unlinkat', when: '6' }])(
  'a prune that is killed at %j',
  async (fault) => {
    reset();
    await atomic(pullNew);
    expect(runWith('signal=KILL', fault, ['images', 'prune'])).toBe('SIGKILL');
    await expectSound(pullNew);
  },
);

const tag = ['images', 'tag', 'web:latest', 'other:1'];
const failures: [args: readonly string[], error: string, fault: Fault][] = [
  [pullNew, 'ENOSPC', { calls: 'link', path: imageRef }],
  [pullNew, 'ENOSPC', { calls: 'rename', when: '6+' }],
  [pullNew, 'EIO', { calls: 'fsync', path: refs }],
  [tag, 'EIO', { calls: 'fsync', path: refs }],
  [tag, 'ENOSPC', { calls: 'rename' }],
];

test.each(failures)('no name has moved when %j fails with %s at %j', async (args, error, fault) => {
  reset();
  expect(runWith(`error=${error}`, fault, args)).toBe(1);
  expect(readdirSync(refs).filter((name) => name.startsWith('other'))).toEqual([]);
  expect(versions.get(await listIds())).toBe('old');
  await expectSound(args);
});

const halves: Record<string, () => void> = {
  'only its folder is there': () => mkdirSync(repository, { recursive: true }),
  'libostree has written the configuration': () => {
    mkdirSync(`${repository}/tmp`, { recursive: true });
    writeFileSync(`${repository}/config`, '[core]\nrepo_version=1\nmode=bare\n');
  },
  'a power cut has emptied the configuration': () => {
    mkdirSync(`${repository}/objects`, { recursive: true });
    writeFileSync(`${repository}/config`, '');
  },
};
test.each(Object.entries(halves))('a repository of which %s is finished', async (_, makeHalf) => {
  rmSync(checkouts, { recursive: true });
  makeHalf();
  await expectSound(pullNew);
});

test.each([
  ['signal=KILL', '2'],
  ['signal=KILL', '7'],
  ['error=ENOSPC', '5'],
])('a repository that meets %s while the folder %s is made is finished', async (inject, when) => {
  rmSync(checkouts, { recursive: true });
  expect(runWith(inject, { calls: 'mkdirat', when }, pullNew)).not.toBe(0);
  await expectSound(pullNew);
});

/** Each takes the path of the ref of the configuration, and the files of its objects by kind. */
const losses: Record<string, (ref: string, objects: ReadonlyMap<string, string>) => void> = {
  'its ref is empty': (ref) => truncateSync(ref, 0),
  'its commit is gone': (_, objects) => rmSync(objects.get('commit') ?? ''),
  'its content is gone': (_, objects) => rmSync(objects.get('file') ?? ''),
};
test.each(Object.entries(losses))(
  'a configuration of which %s is fetched by the next pull',
  async (_, lose) => {
    reset();
    const [{ config_digest: digest }] = JSON.parse(await atomic(['images', 'inspect', 'web:latest']));
    const ref = `ociimage/${digest.replace('sha256:', '')}`;
    lose(`${repository}/refs/heads/${ref}`, await listConfigObjects(ref));
    expect((await runAtomic(['images', 'verify'])).status).toBe(1);
    await atomic(['pull', 'oci:/tmp/images:old', '--as', 'web:latest']);
    await atomic(['images', 'verify']);
    await expectSound(pullNew);
  },
);

async function listConfigObjects(ref: string): Promise<ReadonlyMap<string, string>> {
  const commit = (await command('ostree', 'rev-parse', `--repo=${repository}`, ref)).trim();
  const list = await command('ostree', 'ls', '-RC', `--repo=${repository}`, ref);
  const [, file = ''] = /^-.* ([0-9a-f]{64}) \/content$/m.exec(list) ?? [];
  return new Map(
    Object.entries({ commit, file }).map(([kind, checksum]) => [
      kind,
      `${repository}/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${kind}`,
    ]),
  );
}

test('a power cut right after a pull leaves the complete new image or the old image', async () => {
  reset();
  rmSync(checkouts, { recursive: true });
  mkdirSync(checkouts);
  writeFileSync('/var/lib/disk', '');
  truncateSync('/var/lib/disk', 48 * 1024 * 1024);
  await command('mkfs.ext4', '-q', '/var/lib/disk');
  const mount = ['mount', '-o', 'loop,commit=1000,noauto_da_alloc', '/var/lib/disk', checkouts];
  await command(...(mount as [string, ...string[]]));
  await atomic(['pull', 'oci:/tmp/images:old', '--as', 'web:latest']);
  for (const args of [pullNew, tag]) {
    await atomic(args);
    await cutPower(checkouts);
    await command('umount', checkouts);
    await command(...(mount as [string, ...string[]]));
    expect(versions.get((await listIds()).split('\n')[0] ?? '')).toBe('new');
    await command('ostree', 'fsck', '--quiet', `--repo=${repository}`);
    await atomic(['images', 'verify']);
  }
  expect((await listIds()).split('\n')).toHaveLength(2);
  await command('umount', checkouts);
});

/** The filesystem never writes data that it has not written yet: `EXT4_IOC_SHUTDOWN` without flushing the journal. */
async function cutPower(path: string): Promise<void> {
  const script = 'import fcntl,os,sys; fcntl.ioctl(os.open(sys.argv[1], 0), 0x8004587d, b"\\2\\0\\0\\0")';
  await command('python3', '-c', script, path);
}
