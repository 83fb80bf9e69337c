/** scripts/host from the outside: what passes through it, and that nothing is left of a host however it ended. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

setDefaultTimeout(120_000);

const root = join(import.meta.dir, '../..');

/** Prints the name of the host, which its folder, cgroup, mounts and processes carry. */
const printName = "grep -om1 'atomic-host-[A-Za-z0-9]*' /proc/mounts | head -n1";

interface Ended {
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('passes through', () => {
  test('standard input, output, error and the exit status', async () => {
    expect(await runHost(['--', 'sh', '-c', 'cat; echo problem >&2; exit 42'], 'from outside\n')).toEqual({
      status: 42,
      stdout: 'from outside\n',
      stderr: 'problem\n',
    });
  });

  test('arguments as they are', async () => {
    const words = ['a b', '', '--help', '$HOME', "it's"];
    const { status, stdout } = await runHost(['printf', '<%s>', ...words]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: words.map((word) => `<${word}>`).join('') });
  });

  test('the end by a signal, as a shell reports it', async () => {
    expect(await runHost(['sh', '-c', 'kill -KILL $$'])).toEqual({ status: 137, stdout: '', stderr: '' });
  });

  test('a command that is not there', async () => {
    expect((await runHost(['no-such-command'])).status).toBe(127);
  });

  test('a bound folder, in both directions', async () => {
    const folder = mkdtempSync('/var/tmp/atomic-bind-');
    await Bun.write(join(folder, 'in'), 'in');
    const ended = await runHost([
      '--bind',
      `${folder}:/srv/bound`,
      'sh',
      '-c',
      'cp /srv/bound/in /srv/bound/out',
    ]);
    const written = globSync('*', { cwd: folder }).sort();
    rmSync(folder, { recursive: true });
    expect([ended, written]).toEqual([{ status: 0, stdout: '', stderr: '' }, ['in', 'out']]);
  });
});

test.each([
  [[], 'scripts/host: no COMMAND given (see --help)\n'],
  [['--nope', 'true'], 'scripts/host: unknown option --nope (see --help)\n'],
  [['--timeout', 'soon', 'true'], 'scripts/host: --timeout soon: not a number of seconds (see --help)\n'],
  [['--release', 'sid', 'true'], 'scripts/host: --release sid: known are bookworm trixie (see --help)\n'],
  [['--bind', '/usr', 'true'], 'scripts/host: --bind /usr: expected SRC:DST, DST absolute (see --help)\n'],
  [['--bind', '/nope:/usr', 'true'], 'scripts/host: --bind /nope:/usr: /nope does not exist (see --help)\n'],
])('refuses %j', async (words, stderr) => {
  expect(await runHost(words)).toEqual({ status: 2, stdout: '', stderr });
});

test('is a systemd host that is up, with the built executable and nothing of this machine running', async () => {
  const script = [
    'systemctl is-system-running',
    'systemctl list-units --failed --no-legend',
    'atomic --version | head -n 1',
    'pwd',
    'ls /var/lib/containers/atomic 2>&1',
    'ip -o link show up | cut -d: -f2',
    'journalctl --quiet --identifier=systemd --grep "Startup finished" --output=cat | wc -l',
    'systemctl list-units --no-legend --plain etcd.service docker-registry.service podman.socket',
  ].join('\n');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(await runHost(['sh', '-c', script])).toEqual({
    status: 0,
    stdout: [
      'running',
      `atomic ${version}`,
      root,
      "ls: cannot access '/var/lib/containers/atomic': No such file or directory",
      ' lo',
      '1\n',
    ].join('\n'),
    stderr: '',
  });
});

test('boots another release of Debian, with the checkout in it', async () => {
  const script =
    '. /etc/os-release; echo $VERSION_CODENAME; systemctl is-system-running; pwd; atomic --version >&2';
  const { status, stdout } = await runHost(['--release', 'trixie', 'sh', '-c', script]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: `trixie\nrunning\n${root}\n` });
});

test('can link and label files in /var/lib/containers, and mount a loop device', async () => {
  const script = `
    set -e
    cd /var/lib/containers
    echo text >a && ln a b && stat --format %h b
    truncate --size 8M image && mkfs.ext4 -q image && mkdir mounted && mount -o loop image mounted
    findmnt --noheadings --output FSTYPE mounted`;
  expect(await runHost(['sh', '-c', script])).toEqual({ status: 0, stdout: '2\next4\n', stderr: '' });
});

test('a runtime starts a container in a cgroup that systemd made', async () => {
  const script = `
    set -e
    mkdir -p /var/lib/containers/bundle/rootfs/bin && cd /var/lib/containers/bundle
    cp /bin/busybox rootfs/bin/sh
    runc spec
    sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sh", "-c", "echo from the container"/' config.json
    runc --systemd-cgroup run one`;
  expect(await runHost(['sh', '-c', script])).toEqual({
    status: 0,
    stdout: 'from the container\n',
    stderr: '',
  });
});

describe('leaves nothing behind', () => {
  const ends: [how: string, words: string[], signal: NodeJS.Signals | undefined, status: number][] = [
    ['success', ['sh', '-c', printName], undefined, 0],
    ['a failing command', ['sh', '-c', `${printName}; exit 3`], undefined, 3],
    [
      'a command that leaves processes',
      ['sh', '-c', `${printName}; setsid sleep 1000 & exit 4`],
      undefined,
      4,
    ],
    [
      'a command that powers the host off',
      ['sh', '-c', `trap '' TERM; ${printName}; systemctl poweroff; sleep 1000`],
      undefined,
      137,
    ],
    ['a timeout', ['--timeout', '1', 'sh', '-c', `${printName}; sleep 1000`], undefined, 124],
    ['Ctrl-C', ['sh', '-c', `${printName}; sleep 1000`], 'SIGINT', 130],
    ['Ctrl-C that the command ignores', ['sh', '-c', `trap '' INT; ${printName}; sleep 1000`], 'SIGINT', 130],
    ['SIGTERM', ['sh', '-c', `${printName}; sleep 1000`], 'SIGTERM', 143],
    ['SIGHUP', ['sh', '-c', `${printName}; sleep 1000`], 'SIGHUP', 129],
  ];
  test.each(ends)('after %s', async (_how, words, signal, status) => {
    const host = startHost(words);
    const name = await readFirstLine(host);
    expect(listTraces(name)).not.toEqual([]);
    if (signal !== undefined) process.kill(-processIdOf(host), signal);
    const ended = await waitForEnd(host);
    expect([ended.status, listTraces(name)]).toEqual([status, []]);
  });

  test('that runs or is mounted after SIGKILL; the rest goes when the next host starts', async () => {
    const host = startHost(['sh', '-c', `${printName}; sleep 1000`]);
    const name = await readFirstLine(host);
    process.kill(processIdOf(host), 'SIGKILL');
    await waitForEnd(host);
    while (listProcesses(name).length > 0) await Bun.sleep(20);
    expect(listMounts(name)).toEqual([]);
    await runProgram('touch', ['--date=2 minutes ago', `/var/tmp/${name}`]);
    await runHost(['true']);
    expect(listTraces(name)).toEqual([]);
  });
});

test('two hosts run side by side, each with its own files, processes and network', async () => {
  const script = `
    ${printName}
    touch /etc/mine-$0 /var/lib/containers/mine-$0
    nc -l -p 5000 &
    read -r go
    ls -d /etc/mine-* /var/lib/containers/mine-*`;
  const hosts = ['one', 'two'].map((word) => startHost(['busybox', 'sh', '-c', script, word]));
  const names = await Promise.all(hosts.map(readFirstLine));
  expect(new Set(names).size).toBe(2);
  const ended = hosts.map((host) => waitForEnd(host));
  for (const host of hosts) host.stdin?.end('go\n');
  expect(await Promise.all(ended)).toEqual(
    ['one', 'two'].map((word) => ({
      status: 0,
      stdout: `/etc/mine-${word}\n/var/lib/containers/mine-${word}\n`,
      stderr: '',
    })),
  );
});

test('its own changes are in /run/atomic-host, without those that another program makes on the machine', async () => {
  const script =
    "mkdir /var/lib/atomic-of-host; echo ready; read go; find /run/atomic-host -name 'atomic-of-*'";
  const host = startHost(['sh', '-c', script]);
  await readFirstLine(host);
  const machine = '/var/lib/atomic-of-machine';
  mkdirSync(machine);
  const ended = waitForEnd(host);
  host.stdin?.end('go\n');
  const { stdout } = await ended.finally(() => rmSync(machine, { recursive: true }));
  expect(stdout).toMatch(/^\/run\/atomic-host\/(?:root\/)?var\/lib\/atomic-of-host\n$/);
});

async function runHost(words: string[], input = ''): Promise<Ended> {
  const host = startHost(words);
  host.stdin?.end(input);
  return await waitForEnd(host);
}

/** In a process group of its own, as a shell would start it. */
function startHost(words: string[]): ChildProcess {
  return spawn(join(root, 'scripts/host'), words, { cwd: root, detached: true });
}

function runProgram(program: string, words: string[]): Promise<Ended> {
  return waitForEnd(spawn(program, words));
}

function readFirstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      child.stdout?.off('data', read);
      resolve(text.slice(0, text.indexOf('\n')));
    };
    child.stdout?.on('data', read);
    child.on('close', () => reject(new Error(`ended before its first line: ${text}`)));
  });
}

function waitForEnd(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: code ?? signal, stdout, stderr }));
  });
}

function processIdOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the host has not started');
  return child.pid;
}

/** Everything on this machine that carries the name of a host. */
function listTraces(name: string): string[] {
  expect(name).toMatch(/^atomic-host-\w{8}$/);
  return [
    ...globSync(`/var/tmp/${name}`),
    ...globSync(`/run/systemd/nspawn/**/*${name}*`),
    ...globSync(`/sys/fs/cgroup/**/${name}`),
    ...listMounts(name),
    ...listProcesses(name),
  ];
}

function listMounts(name: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(name));
}

/** Processes by their command line or their cgroup. */
function listProcesses(name: string): string[] {
  return globSync('/proc/[0-9]*/{cmdline,cgroup}').filter((path) => readIfThere(path).includes(name));
}

/** A process may end between being listed and being read. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
