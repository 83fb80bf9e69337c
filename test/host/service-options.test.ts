/** The options that change a service: what its process has, with both runtimes, for the default and an own configuration. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { atomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';

/** Writes what it sees to /facts, and runs until SIGTERM. */
const report = `#!/bin/sh
trap 'exit 0' TERM
{
  echo "args: $*"
  echo "WORD: $WORD"
  echo "OTHER: $OTHER"
  echo "user: $(busybox id -u):$(busybox id -g)"
  echo "nofile: $(ulimit -Sn):$(ulimit -Hn)"
  busybox grep -E '^Cap(Eff|Bnd|Amb)' /proc/self/status
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
  const end = Date.now() + 4_000;
  while (!existsSync('/srv/facts/all')) {
    if (Date.now() > end)
      throw new Error(
        run(
          'sh',
          '-c',
          'ls -laR /srv; cat /srv/facts/list; ps axf; cat /var/lib/containers/atomic/web/config.json | head -60',
        ),
      );
    await Bun.sleep(20);
  }
  const lines = readFileSync('/srv/facts/all', 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.split(/:\s*/, 1)[0], line.replace(/^[^:]*:\s*/, '')]));
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
    ['the default configuration', () => plain],
    ['a configuration of its own', () => own],
  ])('a service with %s has what the options say', async (_, image) => {
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
      ...{ kept: 'read-only', scratch: 'writable' },
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
