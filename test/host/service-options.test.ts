/** The options that change a service: what its process has, with both runtimes, for the default and an own configuration. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';

/** Writes what it sees to /facts, and runs until SIGTERM. */
const report = `#!/bin/sh
trap 'exit 0' TERM
{
  echo "args: $*"
  echo "WORD: $WORD"
  echo "OTHER: $OTHER"
  echo "user: $(busybox id -u):$(busybox id -g)"
  echo "nofile: $(ulimit -Sn):$(ulimit -Hn)"
  busybox grep -E '^(Cap(Eff|Bnd|Amb)|Seccomp_filters):' /proc/self/status
  busybox mkdir /facts/folder 2>/dev/null && echo 'mkdir: allowed' && busybox rmdir /facts/folder
  echo "interfaces: $(busybox ls /sys/class/net | busybox tr '\\n' ' ')"
  busybox touch /kept/new 2>/dev/null && echo 'kept: writable' || echo 'kept: read-only'
  busybox touch /scratch/new 2>/dev/null && echo 'scratch: writable'
  busybox dd if=/dev/nothing of=/dev/null bs=1 count=1 2>/dev/null && echo 'device: readable'
} > /facts/list 2>&1
busybox mv /facts/list /facts/all
while :; do sleep 0.1; done
`;

const files = tree`
  f bin/report.sh 0755 ${report}
  d facts 0755
  d kept 0755
  d scratch 0755
  f etc/passwd 0644 root:x:0:0::/:/bin/sh\nweb:x:1234:56::/:/bin/sh\n
`;

let images: ImageSource;
let plain: string;
let own: string;
beforeAll(async () => {
  images = await openImageSource();
  plain = await images.push('plain', {
    config: { Entrypoint: ['/bin/report.sh'], Cmd: ['image'] },
    extra: files,
  });
  const template = configTemplate.replace('/bin/run.sh', '/bin/report.sh');
  own = await images.push('own', {
    exports: { ...serviceExports, 'config.json.template': template },
    extra: files,
  });
  await atomic(['pull', plain]);
  await atomic(['pull', own]);
});
afterAll(() => images[Symbol.asyncDispose]());

function run(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
}

async function start(name: string): Promise<Readonly<Record<string, string>>> {
  rmSync('/srv/facts/all', { force: true });
  expect(run('systemctl', 'start', name)).toBe('');
  const end = Date.now() + 20_000;
  while (!existsSync('/srv/facts/all')) {
    if (Date.now() > end) throw new Error(run('journalctl', '-u', name, '-n', '20'));
    await Bun.sleep(20);
  }
  const lines = readFileSync('/srv/facts/all', 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.split(/:\s*/, 1)[0], line.replace(/^[^:]*:\s*/, '')]));
}

/** How `/proc/PID/status` counts the filters of a service: those of this host count, too. */
function countFilters(own: number): string {
  const [, outside] = /^Seccomp_filters:\s*(\d+)$/m.exec(readFileSync('/proc/1/status', 'utf8')) ?? [];
  return String(Number(outside) + own);
}

/** The folder of the cgroup of the container. */
function findCgroup(): string {
  const pid = run('pgrep', '-f', '^/bin/busybox sh /bin/report.sh|^/bin/sh /bin/report.sh').split('\n')[0];
  const [path = ''] = readFileSync(`/proc/${pid}/cgroup`, 'utf8').match(/(?<=0::).*/) ?? [];
  return `/sys/fs/cgroup${path}`;
}

const options = [
  ...['--volume', '/srv/facts:/facts', '-v', '/srv/kept:/kept:ro', '--tmpfs', '/scratch:size=1m'],
  ...['--env', 'WORD=given', '-e', 'OTHER=a=b c', '--user', '0:7', '--device', '/dev/null:/dev/nothing:r'],
  ...['--cap-drop', 'ALL', '--cap-add', 'kill', '--ulimit', 'nofile=64:128'],
  ...['--stop-timeout', '7', '--network', 'none', '--entrypoint', '/bin/report.sh'],
];
const limits = ['--memory', '32m', '--cpus', '0.5', '--pids-limit', '50'];

/** The control groups of a host in a container often have no controllers. */
const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
const canLimit = ['memory', 'cpu', 'pids'].every((name) => controllers.includes(name));

describe.each(['runc', 'crun'])('with %s', (runtime) => {
  test.each([
    ['the default configuration', () => plain, 1],
    ['a configuration of its own', () => own, 0],
  ])('a service with %s has what the options say', async (_, image, filters) => {
    mkdirSync('/srv/facts', { recursive: true });
    mkdirSync('/srv/kept', { recursive: true });
    const path = run('which', runtime);
    await atomic([
      'install',
      '--name',
      'web',
      '--runtime',
      path,
      ...options,
      ...(canLimit ? limits : []),
      image(),
      '--',
      'two words',
      '-x',
    ]);
    const facts = await start('web');
    expect(facts).toMatchObject({
      ...{ args: 'two words -x', WORD: 'given', OTHER: 'a=b c', user: '0:7', nofile: '64:128' },
      ...{ CapEff: '0000000000000020', CapBnd: '0000000000000020' },
      ...{ kept: 'read-only', scratch: 'writable', Seccomp_filters: countFilters(filters) },
    });
    if (canLimit) {
      const cgroup = findCgroup();
      const read = (file: string) => readFileSync(`${cgroup}/${file}`, 'utf8').trim();
      const found = ['memory.max', 'cpu.max', 'pids.max'].map(read);
      expect(found).toEqual([String(32 * 2 ** 20), '50000 100000', '50']);
    }
    expect(run('systemctl', 'show', '--value', '-p', 'TimeoutStopUSec', 'web')).toBe('7s');
    await atomic(['uninstall', 'web']);
  });
});

test.each(['runc', 'crun'])('%s loads the seccomp filter that a person chooses', async (runtime) => {
  mkdirSync('/srv/facts', { recursive: true });
  const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 };
  const unknown = { names: ['no_such_call'], action: 'SCMP_ACT_ERRNO' };
  const profile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule, unknown] };
  writeFileSync('/srv/profile.json', JSON.stringify(profile));
  const common = ['--name', 'web', '--runtime', run('which', runtime), '-v', '/srv/facts:/facts'];
  for (const image of [plain, own]) {
    await atomic(['install', ...common, '--security-opt', 'seccomp=/srv/profile.json', image]);
    const { Seccomp_filters: filters, mkdir } = await start('web');
    expect([filters, mkdir]).toEqual([countFilters(1), undefined]);
    await atomic(['uninstall', 'web']);
  }
});

test('the default seccomp filter follows the capabilities, and a patch can replace it', async () => {
  const allows = (call: string): boolean => {
    const { syscalls } = readConfig('web').linux.seccomp;
    return syscalls.some(
      ({ names, action }: { names: string[]; action: string }) =>
        names.includes(call) && action === 'SCMP_ACT_ALLOW',
    );
  };
  const { stderr } = await runAtomic(['install', '--name', 'web', plain]);
  expect(stderr).not.toContain('no seccomp filter');
  expect([allows('read'), allows('settimeofday')]).toEqual([true, false]);
  await atomic(['containers', 'update', 'web', '--cap-add', 'SYS_TIME']);
  expect([allows('read'), allows('settimeofday')]).toEqual([true, true]);
  // What a person types needs no consent.
  await atomic(['containers', 'update', 'web', '--security-opt', 'seccomp=unconfined']);
  expect(readConfig('web').linux).not.toHaveProperty('seccomp');
  expect((await inspectOptions('web')).given).toMatchObject({ 'security-opt': ['seccomp=unconfined'] });
  await atomic(['containers', 'update', 'web', '--reset', 'security-opt']);
  expect(allows('settimeofday')).toBe(true);
  mkdirSync('/etc/atomic/web.d', { recursive: true });
  writeFileSync('/etc/atomic/web.d/filter.json', JSON.stringify({ linux: { seccomp: null } }));
  await atomic(['containers', 'update', '--accept-widening', 'web']);
  expect(readConfig('web').linux).not.toHaveProperty('seccomp');
  rmSync('/etc/atomic', { recursive: true });
  await atomic(['uninstall', 'web']);
});

test('without the profile of the host, the list of what a service asks for says that it has no filter', async () => {
  mkdirSync('/etc/containers', { recursive: true });
  const path = '/etc/containers/seccomp.json';
  writeFileSync(path, '{"defaultAction": "SCMP_ACT_DENY"}');
  const { stderr, status } = await runAtomic(['install', '--name', 'web', plain]);
  expect([stderr.split('\n')[0], status]).toEqual([
    `error: Cannot use the seccomp profile ${path}: defaultAction is no action of seccomp`,
    1,
  ]);
  rmSync(path);
  renameSync('/usr/share/containers/seccomp.json', '/usr/share/containers/seccomp.json.away');
  const installed = await runAtomic(['install', '--name', 'web', plain]);
  renameSync('/usr/share/containers/seccomp.json.away', '/usr/share/containers/seccomp.json');
  expect(installed.stderr).toContain('Asks: unconfined: no seccomp filter\n');
  await atomic(['uninstall', 'web']);
});

function readConfig(name: string) {
  return JSON.parse(readFileSync(`${checkouts}/${name}/config.json`, 'utf8'));
}

async function inspectOptions(name: string) {
  const { containers } = JSON.parse(await atomic(['containers', 'inspect', '--json', name]));
  const { options: given, patches } = containers[0].deployments[0].installed;
  return { given, patches };
}

test('updates keep the options and change them, and a rollback brings them back', async () => {
  await atomic(['install', '--name', 'web', '--env', 'A=1', '--env', 'B=2', '--cap-drop', 'KILL', own]);
  expect(await atomic(['containers', 'update', 'web'])).toContain('Latest version already installed.');
  await atomic(['containers', 'update', 'web', '--env', 'A=3', '--reset', 'cap-drop', '--set', 'WORD=x']);
  expect(await inspectOptions('web')).toEqual({ given: { env: ['B=2', 'A=3'] }, patches: {} });
  expect(readConfig('web').process.env).toEqual(['PATH=/bin', 'WORD=x', 'B=2', 'A=3']);
  await atomic(['containers', 'rollback', 'web']);
  expect(readConfig('web').process.env).toEqual(['PATH=/bin', 'WORD=hello', 'A=1', 'B=2']);
  // What a person types needs no consent, also without a terminal.
  await atomic(['containers', 'update', 'web', '--cap-add', 'NET_ADMIN', '-v', '/etc:/host-etc:ro']);
  expect(readConfig('web').process.capabilities.bounding).toEqual(['CAP_NET_ADMIN']);
  await atomic(['uninstall', 'web']);
});

test('patches of the host change the configuration, and a changed patch is a reason for an update', async () => {
  mkdirSync('/etc/atomic/web.d', { recursive: true });
  const write = (name: string, patch: unknown) =>
    writeFileSync(`/etc/atomic/web.d/${name}`, typeof patch === 'string' ? patch : JSON.stringify(patch));
  write('20.json', {
    hostname: 'second',
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'uts' }] },
  });
  write('10.json', { hostname: 'first', process: { env: ['PATH=/bin', 'FROM=patch'] } });
  write('README', 'not a patch');
  await atomic(['install', '--name', 'web', '--env', 'GIVEN=1', own]);
  expect(readConfig('web')).toMatchObject({
    hostname: 'second',
    process: { env: ['PATH=/bin', 'FROM=patch', 'GIVEN=1'] },
  });
  expect(Object.keys((await inspectOptions('web')).patches)).toEqual(['10.json', '20.json']);
  expect(await atomic(['containers', 'update', 'web'])).toContain('Latest version already installed.');
  write('20.json', { process: { env: ['PATH=/bin', 'FROM=later'] }, hostname: null });
  const updated = await atomic(['containers', 'update', 'web']);
  expect(updated).toContain('web: the patch 20.json has changed\n');
  expect(readConfig('web')).not.toHaveProperty('hostname');
  expect(readConfig('web').process.env).toEqual(['PATH=/bin', 'FROM=later', 'GIVEN=1']);

  const before = readHostState();
  for (const [patch, reason] of [
    ['{"process": ', 'line 1, column 13: unexpected end of the file'],
    ['[]', 'the document must be an object'],
    [{ root: { readonly: false } }, 'it makes the root filesystem writable (root.readonly must be true)'],
    [{ root: null }, 'it makes the root filesystem writable (root.readonly must be true)'],
    [{ root: { path: '/' } }, "it changes root.path, which must be 'rootfs'"],
  ] as const) {
    write('30.json', patch);
    const { stderr, status } = await runAtomic(['containers', 'update', 'web']);
    const file = '/etc/atomic/web.d/30.json';
    expect([status, stderr.split('\n')[0]]).toEqual([1, `error: Cannot use the patch ${file}: ${reason}`]);
  }
  rmSync('/etc/atomic/web.d/30.json');
  const folder = '/etc/atomic/web.d';
  chmodSync(folder, 0o777);
  expect((await runAtomic(['containers', 'update', 'web'])).stderr).toContain('other users can change them');
  chmodSync(folder, 0o755);
  expect(readHostState()).toEqual(before);
  rmSync('/etc/atomic', { recursive: true });
  await atomic(['uninstall', 'web']);
});

test('an option that is not possible changes nothing', async () => {
  mkdirSync('/srv/store', { recursive: true });
  rmSync('/srv/link', { force: true });
  symlinkSync(`${checkouts}/.storage`, '/srv/link');
  writeFileSync('/srv/file', '');
  writeFileSync(
    '/srv/filter.json',
    '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "KILL"}]}',
  );
  const before = readHostState();
  const refuse = async (words: readonly string[], message: string) => {
    const { stderr, status } = await runAtomic(['install', '--name', 'web', ...words]);
    expect([stderr.split('\n')[0], status]).toEqual([`error: ${message}`, 2]);
    expect(stderr).toMatch(/^hint: \S/m);
  };
  await refuse(
    ['-v', '/srv/nothing:/data', plain],
    "--volume '/srv/nothing:/data': the source does not exist",
  );
  await refuse(
    ['-v', '/srv/link:/data', plain],
    `--volume '/srv/link:/data': the source '/srv/link' leads into ${checkouts}, where images and containers are kept`,
  );
  await refuse(
    ['-v', '/srv/file:/kept', plain],
    "--volume '/srv/file:/kept': the destination '/kept' is a folder in the image, and the source is a file",
  );
  await refuse(
    ['-v', '/srv/store:/bin/report.sh', plain],
    "--volume '/srv/store:/bin/report.sh': the destination '/bin/report.sh' is not a folder in the image",
  );
  await refuse(['-v', '/dev/null:/data', plain], "--volume '/dev/null:/data': the source is a device");
  await refuse(
    ['-v', '/srv/store:/run', own],
    "--volume '/srv/store:/run': the configuration of the image mounts /run itself",
  );
  await refuse(
    ['--user', 'nobody', plain],
    "--user 'nobody': the image does not have it: no user 'nobody' in its /etc/passwd",
  );
  await refuse(
    ['--security-opt', 'seccomp=/srv/filter.json', plain],
    "--security-opt 'seccomp=/srv/filter.json': syscalls[0].action is no action of seccomp",
  );
  await refuse(
    ['--security-opt', 'seccomp=/srv/store', plain],
    'Cannot read /srv/store for --security-opt: it is not a regular file',
  );
  await refuse(['--device', '/dev/missing', plain], "--device '/dev/missing': there is no such device");
  await refuse(['--device', '/srv/file', plain], "--device '/srv/file': it is no device but a file");
  await refuse(['--env-file', '/srv/store', plain], '--env-file /srv/store: read: it is a folder');
  if (!canLimit) {
    const missing = "there is no controller 'memory' in /sys/fs/cgroup";
    await refuse(
      ['--memory', '32m', plain],
      `--memory: the control groups of this host cannot limit it: ${missing}`,
    );
  }
  expect(readHostState()).toEqual(before);
});
