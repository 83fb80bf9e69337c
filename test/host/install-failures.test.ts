/** Installs that must fail: one line with the reason, and no change of the host. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { diffLooks } from './support/own-changes.ts';

let images: ImageSource;
let service: string;
beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  await atomic(['pull', service]);
  // Makes the folders of locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => images[Symbol.asyncDispose]());

/** @throws Error when the script fails */
function sh(script: string): string {
  const run = spawnSync('/bin/sh', ['-ec', script], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr}`);
  return run.stdout;
}

const unusable: readonly [string, Readonly<Record<string, string>>, number, string][] = [
  [
    'an unset variable',
    { ...serviceExports, 'manifest.json': '{"defaultValues":{}}' },
    1,
    `The template file '${checkouts}/bad.0/rootfs/exports/config.json.template' still contains an unreplaced value for: ''WORD''`,
  ],
  ['a manifest that is not JSON', { 'manifest.json': '{' }, 1, 'Invalid manifest.json file in image: '],
  [
    'a config.json that is not JSON',
    { 'config.json': '{"root":' },
    1,
    `Invalid json in configuration file: ${checkouts}/bad.0/config.json`,
  ],
  [
    'a root that is not read-only',
    {
      'config.json.template': configTemplate
        .replace('"readonly":true', '"readonly":false')
        .replace('$WORD', ''),
    },
    1,
    'Invalid configuration file.  Only readonly images are supported',
  ],
  ['a file that is not text', { 'service.template': '\u0000' }, 1, "The template file '"],
];

test.each(unusable)('%s: nothing is changed', async (_, exports, status, message) => {
  const bad = await images.push('bad', { exports });
  await atomic(['pull', bad]);
  const before = readHostState();
  const stderr = await failingAtomic(status, ['install', '--system', bad]);
  expect(stderr).toStartWith(`error: ${message}`);
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test.each([
  [['--name', '../x'], 2, "Invalid container name '../x'"],
  [['--name', 'a\nb'], 2, "Invalid container name 'a b'"],
  [['--name=-x'], 2, "Invalid container name '-x'"],
  [
    ['--runtime', '/nonexistent/runc'],
    1,
    'Cannot install the container: the runtime /nonexistent/runc is not installed',
  ],
] as const)('%p: nothing is changed', async (options, status, message) => {
  const before = readHostState();
  expect(await failingAtomic(status, ['install', '--system', ...options, service])).toContain(message);
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test.each(['/etc/systemd/system/web.service', '/etc/tmpfiles.d/web.conf', `${checkouts}/web`])(
  'N-13: the file %s is not overwritten',
  async (path) => {
    await Bun.write(path, 'mine\n');
    const before = readHostState();
    expect(await failingAtomic(1, ['install', '--system', '--name', 'web', service])).toStartWith(
      `error: The file ${path} already exists.\n`,
    );
    expect(diffLooks(before, readHostState())).toEqual([]);
    sh(`rm ${path}`);
  },
);

async function pushBad(exports: Readonly<Record<string, string>>): Promise<string> {
  const bad = await images.push('bad', { exports: { ...serviceExports, ...exports } });
  await atomic(['pull', bad]);
  return bad;
}

test.each([
  [
    'd /run/other 0700 nobody-like-that',
    "line 2: Failed to resolve user 'nobody-like-that': No such process",
  ],
  ['"D" /etc', 'line 2: its type is not a letter with modifiers'],
  ['r relative', "line 2: Path 'relative' not absolute."],
])('%s: found before any line is carried out', async (line, reason) => {
  sh('echo mine > /etc/victim');
  const bad = await pushBad({ 'tmpfiles.template': `L+ /etc/victim - - - - /away\n${line}\nD /run/$NAME\n` });
  const before = readHostState();
  const run = await runAtomic(['install', '--system', bad]);
  expect([run.status, run.stdout]).toEqual([1, '']);
  expect(run.stderr).toStartWith(
    `error: The template file '${checkouts}/bad.0/rootfs/exports/tmpfiles.template'`,
  );
  expect(run.stderr).toContain(`makes a file that systemd-tmpfiles refuses: ${reason}\n`);
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test('judging a tmpfiles.d file removes nothing', async () => {
  sh('mkdir -p /run/full /run/fuller; touch /run/full/a /run/fuller/b');
  const image = await pushBad({
    'tmpfiles.template': 'D /run/full\nR /run/fuller\nr! /run/full/a\nd /run/$NAME\n',
  });
  await atomic(['install', '--system', '--display', image]);
  expect(sh('ls /run/full /run/fuller')).toBe('/run/full:\na\n\n/run/fuller:\nb\n');
  sh('rm -r /run/full /run/fuller');
});

test('a unit that systemd cannot load: no line of the tmpfiles.d file was carried out', async () => {
  const bad = await pushBad({
    'service.template': '[Service]\nType=oneshot\n[Install]\nWantedBy=multi-user.target\n#$EXEC_START\n',
    'tmpfiles.template': 'L+ /etc/victim - - - - /away\nd /run/$NAME\n',
  });
  const before = readHostState();
  const run = await runAtomic(['install', '--system', bad]);
  expect(run.stderr).toStartWith('error: load bad.service: ');
  expect(run.status).toBe(1);
  expect(diffLooks(before, readHostState())).toEqual([]);
  expect(sh('systemctl show --property=LoadState --value bad')).toBe('not-found\n');
});

test('lines that fail only when they are carried out: a warning names the changes that stay', async () => {
  const bad = await pushBad({
    'tmpfiles.template': 'L+ /etc/victim - - - - /away\nd /run/$NAME/deep\nd /proc/nowhere\nf /run/full/x\n',
  });
  const before = readHostState();
  const run = await runAtomic(['install', '--system', bad]);
  expect(run.status).toBe(73);
  expect(run.stderr).toContain(
    'error: installing bad: systemd-tmpfiles --create /etc/tmpfiles.d/bad.conf: exit status 73',
  );
  expect(run.stderr).toStartWith(
    'Warning: What systemd-tmpfiles did for bad is not undone for paths that existed before: L+ /etc/victim - - - - /away\n',
  );
  expect(sh('readlink /etc/victim')).toBe('/away\n');
  sh('rm /etc/victim; echo mine > /etc/victim');
  const changed = diffLooks(before, readHostState()).filter((line) => !line.includes('/etc/victim'));
  expect(changed).toEqual([]);
});

test('an install whose unit systemctl enable refuses is undone', async () => {
  const bad = await images.push('bad', {
    exports: {
      ...serviceExports,
      'service.template': serviceExports['service.template']?.replace('multi-user.target', 'a/b') ?? '',
    },
  });
  await atomic(['pull', bad]);
  const before = readHostState();
  const run = await runAtomic(['install', '--system', bad]);
  expect(run.status).toBe(1);
  expect(run.stderr).toStartWith('error: installing bad: systemctl ');
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test.each([
  ['/etc/systemd/system', 'the filesystem is read-only', '-o bind,ro /etc/systemd/system'],
  ['/etc/tmpfiles.d', 'the filesystem is read-only', '-o bind,ro /etc/tmpfiles.d'],
  ['/etc/systemd/system', 'bytes are needed, 4096 are free', '-t tmpfs -o size=4k tmpfs'],
  ['/etc/tmpfiles.d', '1 can be made', '-t tmpfs -o nr_inodes=2 tmpfs'],
])('%s cannot take the files (%s): found before anything is made', async (folder, reason, mount) => {
  sh(`mount ${mount} ${folder}`);
  try {
    const before = readHostState();
    const run = await runAtomic(['install', '--system', service]);
    expect([run.status, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toStartWith(`error: write to ${folder}: `);
    expect(run.stderr).toContain(reason);
    expect(diffLooks(before, readHostState())).toEqual([]);
  } finally {
    sh(`umount ${folder}`);
  }
});

test('a full disk: nothing is left', async () => {
  sh(
    'truncate -s 12M /tmp/small && mkfs.ext4 -q -N 4096 /tmp/small && mkdir /tmp/mnt && mount -o loop /tmp/small /tmp/mnt',
  );
  const env = { ATOMIC_OSTREE_CHECKOUT_PATH: '/tmp/mnt/atomic', ATOMIC_OSTREE_REPO: '/tmp/mnt/repo' };
  try {
    await atomic(['pull', service], { env });
    // A directory fills the rest, and then one block more than the journal needs is free.
    sh('dd if=/dev/zero of=/tmp/mnt/fill bs=4k 2>/dev/null || true; truncate -s -8k /tmp/mnt/fill');
    const before = readHostState();
    const run = await runAtomic(['install', '--system', service], { env });
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/no space left/i);
    expect(sh('ls -A /tmp/mnt/atomic; ls /tmp/mnt/atomic/.atomic/*').split('\n')).not.toContain(
      '.service.0.new',
    );
    expect(diffLooks(before, readHostState())).toEqual([]);
  } finally {
    sh('umount /tmp/mnt');
  }
});

test('a repository on another filesystem is refused, and nothing is left', async () => {
  const env = { ATOMIC_OSTREE_CHECKOUT_PATH: '/run/checkouts' };
  const before = readHostState();
  const run = await runAtomic(['install', '--system', service], {
    env: { ...env, ATOMIC_OSTREE_REPO: `${checkouts}/.storage/ostree` },
  });
  expect(run.status).toBe(1);
  expect(run.stderr).toContain('installing service: ');
  expect(run.stderr).toContain('filesystem');
  expect(sh('find /run/checkouts | sort')).toBe(
    '/run/checkouts\n/run/checkouts/.atomic\n/run/checkouts/.atomic/journal\n/run/checkouts/.atomic/locks\n',
  );
  sh('rm -r /run/checkouts');
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test('a read-only folder of containers', async () => {
  sh(`mount --bind ${checkouts} ${checkouts}`);
  sh(`mount -o remount,bind,ro ${checkouts}`);
  try {
    const stderr = await failingAtomic(1, ['install', '--system', service]);
    expect(stderr).toContain('the filesystem is read-only');
  } finally {
    sh(`umount ${checkouts}`);
  }
});

test('N-02: only root installs', async () => {
  const run = spawnSync(
    'setpriv',
    ['--reuid=65534', '--clear-groups', 'atomic', 'install', '--system', service],
    { encoding: 'utf8' },
  );
  expect(run.status).toBe(1);
  expect(run.stderr).toStartWith('error: Only root can use --system\n');
});
