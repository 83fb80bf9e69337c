import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Locations } from '../../src/host/locations.ts';
import { findLocations } from '../../src/host/locations.ts';
import type { Settings } from '../../src/host/settings.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

const root: Locations = {
  checkouts: '/var/lib/containers/atomic',
  repository: '/var/lib/containers/atomic/.storage/ostree',
  repositoryMode: 'bare',
  units: '/etc/systemd/system',
  tmpfiles: '/etc/tmpfiles.d',
  patches: '/etc/atomic',
  state: '/var/lib/containers/atomic/.atomic',
};
const user: Locations = {
  checkouts: '/home/u/.local/share/containers/atomic',
  repository: '/home/u/.local/share/containers/atomic/repo',
  repositoryMode: 'bare-user',
  units: '/home/u/.config/systemd/user',
  tmpfiles: '/home/u/.local/share/containers/tmpfiles',
  patches: '/home/u/.config/atomic',
  state: '/home/u/.local/share/containers/atomic/.atomic',
};

type Case = [string, Settings, Record<string, string>, Partial<Locations>];

/** Where the rule for a host with /ostree/repo (O-02) would decide, the repository is configured. */
const repository = { ostreeRepository: root.repository };

test.each<Case>([
  ['nothing', repository, {}, {}],
  ['HOME and XDG_DATA_HOME', repository, { HOME: '/root', XDG_DATA_HOME: '/x' }, {}],
  [
    'O-01: a configured checkout path',
    { ...repository, checkoutPath: '/srv/c' },
    {},
    { checkouts: '/srv/c', state: '/srv/c/.atomic' },
  ],
  [
    'O-01: the variable before the configuration',
    { ...repository, checkoutPath: '/srv/c' },
    { ATOMIC_OSTREE_CHECKOUT_PATH: '/env/c/' },
    { checkouts: '/env/c', state: '/env/c/.atomic' },
  ],
  ['O-01: an empty variable', repository, { ATOMIC_OSTREE_CHECKOUT_PATH: '' }, {}],
  ['O-02: a configured repository', { ostreeRepository: '/srv/repo' }, {}, { repository: '/srv/repo' }],
  [
    'O-02: the variable before the configuration',
    { ostreeRepository: '/srv/repo' },
    { ATOMIC_OSTREE_REPO: '/env/repo' },
    { repository: '/env/repo' },
  ],
  [
    'O-02: an empty variable',
    { ostreeRepository: '/srv/repo' },
    { ATOMIC_OSTREE_REPO: '' },
    { repository: '/srv/repo' },
  ],
])('root with %s', (_, settings, env, expected) => {
  expect(findLocations(settings, env, 0)).toEqual({ ...root, ...expected });
});

test.skipIf(existsSync('/ostree/repo/config'))(
  'O-02: the repository is below the checkouts where the host has none',
  () => {
    expect(findLocations({}, {}, 0)).toEqual(root);
    expect(findLocations({ checkoutPath: '/srv/c' }, {}, 0).repository).toBe('/srv/c/.storage/ostree');
  },
);

test.each<Case>([
  ['HOME', {}, {}, {}],
  [
    'XDG_DATA_HOME',
    {},
    { XDG_DATA_HOME: '/data' },
    {
      checkouts: '/data/containers/atomic',
      repository: '/data/containers/atomic/repo',
      tmpfiles: '/data/containers/tmpfiles',
      state: '/data/containers/atomic/.atomic',
    },
  ],
  ['an empty XDG_DATA_HOME', {}, { XDG_DATA_HOME: '' }, {}],
  ['a relative XDG_DATA_HOME', {}, { XDG_DATA_HOME: 'data' }, {}],
  [
    'O-01: a configured checkout path, which does not move the repository',
    { checkoutPath: '/srv/c' },
    {},
    { checkouts: '/srv/c', state: '/srv/c/.atomic' },
  ],
  [
    'O-01: the variable',
    {},
    { ATOMIC_OSTREE_CHECKOUT_PATH: '/env/c' },
    { checkouts: '/env/c', state: '/env/c/.atomic' },
  ],
  ['O-02: a configured repository, which is for root only', { ostreeRepository: '/srv/repo' }, {}, {}],
  ['O-02: the variable', {}, { ATOMIC_OSTREE_REPO: '/env/repo' }, { repository: '/env/repo' }],
])('a user with %s', (_, settings, env, expected) => {
  expect(findLocations(settings, { HOME: '/home/u', ...env }, 1000)).toEqual({ ...user, ...expected });
});

test('a user without HOME', () => {
  expect(findLocations({}, {}, 1000).checkouts).toBe('/.local/share/containers/atomic');
});

/** In a mount namespace of its own, below a root where `/ostree/repo/config` exists. */
test.skipIf(process.getuid?.() !== 0)(
  'O-02: the repository of the host, on the filesystem of the checkouts',
  async () => {
    await using folder = await createTemporaryFolder('locations');
    const output = execFileSync(
      'unshare',
      ['--mount', 'sh', '-euc', HOST_WITH_REPOSITORY, 'sh', folder.path, process.execPath, printer, checkout],
      {
        encoding: 'utf8',
      },
    );
    expect(output.trim().split('\n')).toEqual(['/ostree/repo', '/var/lib/containers/atomic/.storage/ostree']);
  },
);

const printer = new URL('print-repository.ts', import.meta.url).pathname;
/** Perhaps on another filesystem than the root, in which it is shown. */
const checkout = new URL('../..', import.meta.url).pathname;
/** Prints the repository twice: before and after another filesystem is mounted where the store would be. */
const HOST_WITH_REPOSITORY = `
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mkdir -p "$1/root/ostree/repo" "$1/root/var/lib/containers/atomic/.storage"
touch "$1/root/ostree/repo/config"
mount --rbind /proc "$1/root/proc"
mkdir -p "$1/root$4"
mount --bind "$4" "$1/root$4"
chroot "$1/root" "$2" "$3"
mount -t tmpfs none "$1/root/var/lib/containers/atomic/.storage"
chroot "$1/root" "$2" "$3"
`;
