import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { AtomicError } from '../../src/base/errors.ts';
import type { NewVolumes } from '../../src/containers/render/config/image-volumes.ts';
import type { Step } from '../../src/containers/step.ts';
import { fillVolumes } from '../../src/containers/volumes/fill-volumes.ts';
import { requireSeparateVolumes } from '../../src/containers/volumes/nested-volumes.ts';
import {
  buildPurge,
  buildTidying,
  buildVolumeSteps,
  removeVolumes,
} from '../../src/containers/volumes/remove-volumes.ts';
import { findVolumes, listNewVolumes, planVolumes } from '../../src/containers/volumes/volume-folders.ts';

import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { diffSnapshots, takeSnapshot } from '../support/tree-snapshot.ts';

const user = { uid: 4711, gid: 4712 };
const image = [
  { path: '/data', isInImage: false, missingInside: [] },
  { path: '/srv/app/db', isInImage: true, missingInside: [] },
];

async function openFixture() {
  const sandbox = await createSandbox();
  const state = `${sandbox.folder.path}/state`;
  const rootfs = `${sandbox.folder.path}/rootfs`;
  await mkdir(`${rootfs}/srv/app/db/inner`, { recursive: true });
  await writeFile(`${rootfs}/srv/app/db/inner/-f`, 'content');
  await symlink('/etc/shadow', `${rootfs}/srv/app/db/link`);
  await chmod(`${rootfs}/srv/app/db`, 0o2750);
  await chown(`${rootfs}/srv/app/db`, 26, 27);
  const values = { STATE_DIRECTORY: `${state}/`, NAME: 'web' };
  return {
    sandbox,
    state,
    rootfs,
    values,
    root: `${state}/web/volumes`,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

async function catchRejection(action: Promise<unknown>): Promise<AtomicError> {
  const failure: unknown = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof AtomicError) return failure;
  throw failure ?? new Error('expected an AtomicError, but nothing was thrown');
}

const removeAll = async (steps: readonly Step<'remove-volumes'>[]): Promise<void> => {
  for (const step of steps) await removeVolumes(step);
};
const fill = (sandbox: Sandbox, rootfs: string, volumes: NewVolumes) =>
  fillVolumes(sandbox.host, 'web', rootfs, volumes);

test('a new volume has the content, the owner and the modes of the image', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, values } = fixture;
  const planned = await planVolumes(values, image, user);
  expect(planned.map(({ folder, isNew }) => [folder, isNew])).toEqual([
    [`${root}/data`, true],
    [`${root}/srv/app/db`, true],
  ]);
  await fill(sandbox, rootfs, await listNewVolumes(planned));
  const list = (folder: string) =>
    spawnSync('find', ['.', '-printf', '%P %y %m %U:%G %l\n'], { cwd: folder, encoding: 'utf8' }).stdout;
  expect(list(`${root}/srv/app/db`)).toBe(list(`${rootfs}/srv/app/db`));
  expect(list(root)).toContain('srv/app/db d 2750 26:27');
  const { uid, gid, mode } = await stat(`${root}/data`);
  expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ ...user, mode: 0o755 });
  expect((await stat(root)).mode & 0o777).toBe(0o700);
  // A hard link would change the store with the volume.
  const copy = await stat(`${root}/srv/app/db/inner/-f`);
  expect(copy.nlink).toBe(1);
});

test('a volume that exists is kept as it is', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, values } = fixture;
  await fill(sandbox, rootfs, await listNewVolumes(await planVolumes(values, image.slice(1), user)));
  await writeFile(`${root}/srv/app/db/inner/-f`, 'changed');
  const planned = await planVolumes(values, image, user);
  expect(planned.map(({ isNew }) => isNew)).toEqual([true, false]);
  const added = await listNewVolumes(planned);
  await fill(sandbox, rootfs, added);
  expect(await readFile(`${root}/srv/app/db/inner/-f`, 'utf8')).toBe('changed');
  await removeAll(buildVolumeSteps('web', added));
  expect((await planVolumes(values, image, user)).map(({ isNew }) => isNew)).toEqual([true, false]);
});

test('what an undone operation has made disappears, from every point of it', async () => {
  const until: readonly ((made: string, root: string) => Promise<unknown>)[] = [
    async () => undefined,
    (_, root) => mkdir(root.replace(/\/volumes$/, ''), { recursive: true }),
    (_, root) => mkdir(root, { recursive: true }),
    async (_, root) => {
      await mkdir(`${root}/.atomic-new/half`, { recursive: true });
      await writeFile(`${root}/.atomic`, '# The volumes of the container web, made by atomic\n');
    },
  ];
  for (const stop of until) {
    await using fixture = await openFixture();
    const { values, root, sandbox } = fixture;
    const before = await takeSnapshot(sandbox.folder.path);
    const steps = buildVolumeSteps('web', await listNewVolumes(await planVolumes(values, image, user)));
    await stop('', root);
    await removeAll(steps);
    expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
  }
  await using fixture = await openFixture();
  const { values, rootfs, sandbox } = fixture;
  const before = await takeSnapshot(sandbox.folder.path);
  const made = await listNewVolumes(await planVolumes(values, image, user));
  await fill(sandbox, rootfs, made);
  await removeAll(buildVolumeSteps('web', made));
  await removeAll(buildVolumeSteps('web', made));
  expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
});

test('a folder of another program is refused, and never removed', async () => {
  for (const marker of [undefined, '# The volumes of the container other, made by atomic\n']) {
    await using fixture = await openFixture();
    const { values, root, sandbox } = fixture;
    await mkdir(`${root}/data`, { recursive: true });
    if (marker !== undefined) await writeFile(`${root}/.atomic`, marker);
    const before = await takeSnapshot(sandbox.folder.path);
    const error = await catchRejection(planVolumes(values, image, user));
    expect(error.code).toBe('FILE_CONFLICT');
    expect(error.message).toBe(`Cannot install web: ${root} exists and does not belong to web`);
    expect(await findVolumes('web', values)).toBeUndefined();
    await removeVolumes(buildPurge('web', { root, isParentOwn: true }));
    expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
  }
});

test('a file and a dangling symlink where a volume belongs are refused', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, values } = fixture;
  await fill(sandbox, rootfs, await listNewVolumes(await planVolumes(values, image.slice(1), user)));
  for (const make of [(path: string) => writeFile(path, ''), (path: string) => symlink('/nowhere', path)]) {
    await make(`${root}/data`);
    const error = await catchRejection(planVolumes(values, image, user));
    expect(error.message).toBe(`Cannot use ${root}/data as a volume: it is not a folder`);
    spawnSync('rm', [`${root}/data`]);
  }
});

test('folders inside a new volume that the image does not have are made in it', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, values } = fixture;
  const outer = {
    path: '/srv/app',
    isInImage: true,
    missingInside: ['/srv/app/new/deep', '/srv/app/db/more'],
  };
  const plan = await listNewVolumes(await planVolumes(values, [outer], user));
  await fill(sandbox, rootfs, plan);
  expect(await readFile(`${root}/srv/app/db/inner/-f`, 'utf8')).toBe('content');
  const look = async (path: string) => {
    const { uid, gid, mode } = await stat(`${root}${path}`);
    return [uid, gid, mode & 0o7777];
  };
  expect(await look('/srv/app/new')).toEqual([0, 0, 0o755]);
  expect(await look('/srv/app/new/deep')).toEqual([user.uid, user.gid, 0o755]);
  expect(await look('/srv/app/db/more')).toEqual([user.uid, user.gid, 0o755]);
  // A volume that exists does not change.
  expect((await listNewVolumes(await planVolumes(values, [outer], user))).volumes).toEqual([]);
});

test('a symlink that a former volume has left on the way to a volume is refused', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, values } = fixture;
  await fill(sandbox, rootfs, await listNewVolumes(await planVolumes(values, image.slice(0, 1), user)));
  await symlink('/etc', `${root}/data/link`);
  for (const path of ['/data/link', '/data/link/new']) {
    const error = await catchRejection(
      planVolumes(values, [{ path, isInImage: false, missingInside: [] }], user),
    );
    expect(error.message).toBe(`Cannot use ${root}/data/link as a volume: it is not a folder`);
  }
});

test('a volume inside a folder of the other image is refused, in both directions', () => {
  const values = { STATE_DIRECTORY: '/srv' };
  const deployed = (...sources: readonly string[]) => ({
    config: JSON.stringify({
      mounts: sources.map((source) => ({ destination: '/x', type: 'bind', source, options: ['rbind'] })),
    }),
    values,
  });
  const volume = '/srv/web/volumes/data';
  for (const other of [`${volume}/sub`, `${volume}/sub/more`]) {
    expect(() => requireSeparateVolumes('web', deployed(volume), deployed(other))).toThrow(
      `${other} is inside ${volume}`,
    );
    expect(() => requireSeparateVolumes('web', deployed(other), deployed(volume))).toThrow(
      `${other} is inside ${volume}`,
    );
  }
  expect(() => requireSeparateVolumes('web', deployed('/srv/web'), deployed(volume))).toThrow(
    'is inside /srv/web',
  );
  for (const [before, after] of [
    [volume, volume],
    [volume, '/srv/web/volumes/data2'],
    ['/srv', volume],
    ['/srv/web', '/srv/web/own'],
  ] as const) {
    requireSeparateVolumes('web', deployed(before), deployed(after));
  }
});

test('an empty volume is tidied away, and one with data stays until it is purged', async () => {
  await using fixture = await openFixture();
  const { sandbox, rootfs, root, state, values } = fixture;
  const before = await takeSnapshot(sandbox.folder.path);
  const tidying = buildTidying('web', { root, isParentOwn: true }, ['/data', '/srv/app/db']);
  await fill(sandbox, rootfs, await listNewVolumes(await planVolumes(values, image, user)));
  await removeVolumes(tidying);
  expect(await findVolumes('web', values)).toBe(root);
  expect(
    spawnSync('find', [root, '-mindepth', '1', '-maxdepth', '2'], { encoding: 'utf8' })
      .stdout.split('\n')
      .sort(),
  ).toEqual(['', `${root}/.atomic`, `${root}/srv`, `${root}/srv/app`]);
  await removeVolumes(buildPurge('web', { root, isParentOwn: true }));
  expect(await findVolumes('web', values)).toBeUndefined();
  await fill(sandbox, rootfs, await listNewVolumes(await planVolumes(values, image.slice(0, 1), user)));
  await removeVolumes(tidying);
  spawnSync('rmdir', [state]);
  expect(diffSnapshots(before, await takeSnapshot(sandbox.folder.path))).toEqual([]);
});

test('a state directory that is no absolute path is refused', async () => {
  for (const STATE_DIRECTORY of ['', 'state', '/a/../b', 3]) {
    const error = await catchRejection(planVolumes({ NAME: 'web', STATE_DIRECTORY }, image, user));
    expect(error.code).toBe('BAD_VALUE');
    expect(await findVolumes('web', { STATE_DIRECTORY })).toBeUndefined();
  }
});
