/** Images as people build them, without `/exports`: their services run on a read-only root, and a stop ends them. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { atomic } from '../support/atomic.ts';
import { buildImage, type ImageConfig } from '../support/oci-image.ts';
import { pushImage } from '../support/registry-push.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource } from './container-images.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';

interface PlainImage {
  readonly config: ImageConfig;
  readonly files?: readonly TarEntry[];
  /** What the service writes to `/var/lib/facts/FILE`; without it the service has no shell. */
  readonly facts?: string;
  /** The only runtime with which it works. */
  readonly runtime?: string;
}

const busybox = readFileSync('/bin/busybox');
const shell = tree`
  d bin 0755
  f bin/busybox 0755 ${busybox}
  l bin/sh -> busybox
  d var/lib/facts 01777
`;
/** Writes a line, and waits as python does: without a handler for SIGTERM. */
const report = (words: string) =>
  `echo "${words}" >/var/lib/facts/new && busybox mv /var/lib/facts/new /var/lib/facts/all && exec busybox sleep 1000`;
const users = tree`
  f etc/passwd 0644 web:x:1234:56::/home/web:/bin/sh\n
  f etc/group 0644 web:x:56:\nextra:x:78:web\nother:x:90:\n
`;

const plain: Readonly<Record<string, PlainImage>> = {
  // Nothing but a static program: no shell, no folders, no /etc/passwd.
  bare: {
    config: { Entrypoint: ['/busybox'], Cmd: ['sleep', '1000'], User: '65532:65532' },
    files: tree`f busybox 0755 ${busybox}`,
  },
  'user-by-name': {
    config: { Cmd: ['sh', '-c', report('$(busybox id)')], User: 'web' },
    files: [...shell, ...users],
    facts: 'uid=1234(web) gid=56(web) groups=78(extra)',
  },
  'user-and-group': {
    config: { Cmd: ['sh', '-c', report('$(busybox id -u):$(busybox id -g)')], User: '7:other' },
    files: [...shell, ...users],
    facts: '7:90',
  },
  'no-working-folder': {
    config: { Cmd: ['sh', '-c', report('$PWD')], WorkingDir: '/srv/app/current' },
    files: shell,
    facts: '/srv/app/current',
  },
  'entrypoint-script': {
    config: { Entrypoint: ['/entrypoint.sh'], Cmd: ['sh', '-c', report('$FROM')] },
    files: [...shell, ...tree`f entrypoint.sh 0755 ${'#!/bin/sh\nexport FROM=script\nexec "$@"\n'}`],
    facts: 'script',
  },
  'odd-variables': {
    config: {
      Cmd: ['sh', '-c', report('$A|$B|$C|$D')],
      Env: ['A=two  words "quoted" $HOME %n', 'B=', 'C=a=b\nc', 'D=späß', 'PATH=/bin'],
    },
    files: shell,
    facts: 'two  words "quoted" $HOME %n||a=b\nc|späß',
  },
  'quit-signal': {
    config: {
      Cmd: ['sh', '-c', `trap 'exit 0' QUIT; ${report('on').replace('exec ', '')} & wait`],
      StopSignal: '3',
    },
    files: shell,
    facts: 'on',
  },
  'interrupt-signal': {
    config: { Cmd: ['sh', '-c', report('on')], StopSignal: 'SIGINT' },
    files: shell,
    facts: 'on',
  },
  'real-time-signal': {
    config: { Cmd: ['sh', '-c', report('on')], StopSignal: 'RTMIN+3' },
    files: shell,
    facts: 'on',
  },
  // The official image of httpd has this one, which the runtimes do not pass on.
  'window-signal': {
    config: {
      Cmd: ['sh', '-c', `trap 'exit 0' WINCH; ${report('on').replace('exec ', '')} & wait`],
      StopSignal: 'SIGWINCH',
    },
    files: shell,
    facts: 'on',
  },
  'kill-signal': {
    config: { Cmd: ['sh', '-c', report('on')], StopSignal: 'SIGKILL' },
    files: shell,
    facts: 'on',
  },
  // `/var/run` leads to `/run`, and the volume `/srv/data` to a folder elsewhere.
  volumes: {
    config: {
      Cmd: [
        'sh',
        '-c',
        `echo x >/var/lib/app/x && echo x >/srv/data/x && echo x >/var/run/x && ${report('on')}`,
      ],
      Volumes: { '/var/lib/app': {}, '/var/run/app': {}, '/srv/data': {} },
    },
    files: [
      ...shell,
      ...tree`
        d run 0755
        l var/run -> /run
        d srv/data 0755
      `,
    ],
    facts: 'on',
  },
  // What systemd would make at boot: by tmpfiles.d, and by a unit that is enabled.
  'run-folders': {
    config: {
      Cmd: [
        'sh',
        '-c',
        `echo x >/run/app/x && echo x >/run/unit/x && ${report('$(busybox stat -c %a:%u:%g /run/app) $(busybox stat -c %a:%u:%g /run/unit)')}`,
      ],
      User: 'web',
    },
    files: [
      ...shell,
      ...users,
      ...tree`
        f usr/lib/tmpfiles.d/app.conf 0644 d /run/app 2770 root web -\n
        f usr/lib/systemd/system/unit.service 0644 [Service]\nUser=web\nRuntimeDirectory=unit\nRuntimeDirectoryMode=0700\n
        l etc/systemd/system/multi-user.target.wants/unit.service -> /usr/lib/systemd/system/unit.service
      `,
    ],
    facts: '2770:0:56 700:1234:56',
  },
  // The container has the network and the host name of the host.
  'network-files': {
    config: {
      Cmd: ['sh', '-c', report('$(busybox cat /etc/hostname) $(busybox head -n 1 /etc/hosts)')],
    },
    files: [
      ...shell,
      ...tree`
        f etc/hostname 0644 builder\n
        f etc/hosts 0644 192.0.2.1 builder\n
      `,
    ],
    facts: ['/etc/hostname', '/etc/hosts'].map((path) => readFileSync(path, 'utf8').split('\n')[0]).join(' '),
  },
  'shared-memory': {
    config: { Cmd: ['sh', '-c', `echo x >/dev/shm/x && ${report('on')}`], User: '1000' },
    files: shell,
    facts: 'on',
  },
  // crun passes on the sockets of the journal, which cannot be opened.
  'standard-streams': {
    config: {
      Cmd: ['sh', '-c', `echo x >/dev/stderr && echo x >/proc/self/fd/1 && ${report('on')}`],
      User: '1000',
    },
    files: shell,
    facts: 'on',
    runtime: '/usr/sbin/runc',
  },
};

let images: ImageSource;
const references = new Map<string, string>();
beforeAll(async () => {
  images = await openImageSource();
  for (const [name, { config, files = [] }] of Object.entries(plain)) {
    references.set(
      name,
      await pushImage(images.registry, `test/${name}`, buildImage({ layers: [files], config })),
    );
  }
});
afterAll(() => images[Symbol.asyncDispose]());

/** `active success`, `failed timeout`. */
async function readState(name: string): Promise<string> {
  const text = await command('systemctl', 'show', '-p', 'ActiveState', '-p', 'Result', name);
  return ['ActiveState', 'Result'].map((key) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]).join(' ');
}

const readFacts = (name: string): string => {
  const file = `/var/lib/${name}/volumes/var/lib/facts/all`;
  return existsSync(file) ? readFileSync(file, 'utf8').slice(0, -1) : '';
};

test.each(['/usr/sbin/runc', '/usr/bin/crun'])('plain images run and stop: %s', async (runtime) => {
  const fitting = Object.entries(plain).filter(([, image]) => (image.runtime ?? runtime) === runtime);
  const names = fitting.map(([name]) => name);
  const readStates = async () =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readState(name)] as const)));
  const all = (state: string) => Object.fromEntries(names.map((name) => [name, state]));

  for (const name of names) {
    await atomic(['install', '--name', name, '--runtime', runtime, references.get(name) ?? '']);
  }
  await command('systemctl', 'start', ...names);
  const expected = Object.fromEntries(fitting.map(([name, { facts = '' }]) => [name, facts]));
  const isReady = (name: string) => expected[name] === '' || readFacts(name) !== '';
  // The comparison names the service that does not.
  await waitUntil('the services report', async () => names.every(isReady)).catch(() => undefined);
  expect(Object.fromEntries(names.map((name) => [name, readFacts(name)]))).toEqual(expected);
  expect(await readStates()).toEqual(all('active success'));
  await runCommand(['systemctl', 'stop', ...names]);
  expect(await readStates()).toEqual(all('inactive success'));
  await atomic(['uninstall', '--purge', '-y', ...names]);
});

test.each(['/usr/sbin/runc', '/usr/bin/crun'])(
  'a state that is left makes one start fail: %s',
  async (runtime) => {
    await atomic(['install', '--name', 'left', '--runtime', runtime, references.get('bare') ?? '']);
    // As when systemd itself was killed: the line after the stop is not run.
    const dropIn = '/etc/systemd/system/left.service.d';
    mkdirSync(dropIn);
    writeFileSync(`${dropIn}/killed.conf`, '[Service]\nExecStopPost=\nRestart=no\n');
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', 'left');
    const isThere = async () => (await runCommand([runtime, 'state', 'left'])).status === 0;
    await waitUntil('the container is there', isThere);
    await command('systemctl', 'kill', '--signal=KILL', 'left');
    await waitUntil('the service has failed', async () => (await readState('left')) === 'failed signal');
    expect(await isThere()).toBe(true);
    rmSync(dropIn, { recursive: true });
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', 'left');
    const readRestarts = () => command('systemctl', 'show', '--value', '-p', 'NRestarts', 'left');
    await waitUntil('it is started again', async () => (await readRestarts()).trim() === '1');
    await waitUntil(
      'it runs',
      async () => (await readState('left')) === 'active success' && (await isThere()),
    );
    expect((await readRestarts()).trim()).toBe('1');
    await atomic(['uninstall', '--purge', '-y', 'left']);
  },
);
