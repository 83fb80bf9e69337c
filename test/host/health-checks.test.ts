/**
 * Health checks of images, also odd ones, with services that really run. `ATOMIC_HEALTH_CHECKS=all` runs every check with
 * both runtimes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { atomic, runAtomic } from '../support/atomic.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command } from './support/commands.ts';

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

/** Each case, the runtime with which it always runs, and the check. */
type Case = readonly [what: string, runtime: 'runc' | 'crun' | undefined, check: object, reason?: string];

const SECOND = 1e9;
/** Short times, as a Dockerfile gives them. */
const times = { Interval: SECOND, Timeout: SECOND, Retries: 1 };

const good: readonly Case[] = [
  ['a command', 'runc', { Test: ['CMD', '/bin/sh', '-c', 'test "$VERSION" != ""'], ...times }],
  [
    'a line for the shell',
    'crun',
    { Test: ['CMD-SHELL', 'test -n "$VERSION" && test -d /proc/1'], ...times },
  ],
  ['none', undefined, { Test: ['NONE'] }],
  ['an inherited one', undefined, { Test: [], ...times }],
  [
    'times beyond the limits',
    undefined,
    { Test: ['CMD', '/bin/busybox', 'true'], Interval: 1e15, StartPeriod: 1e15, Retries: 99999 },
  ],
  [
    'no times, and retries 0',
    undefined,
    { Test: ['CMD', '/bin/busybox', 'true'], Interval: 0, Timeout: 0, Retries: 0 },
  ],
  [
    'one with 100 MB of output',
    undefined,
    {
      Test: ['CMD-SHELL', '/bin/busybox yes | /bin/busybox head -c 100000000'],
      ...{ ...times, Timeout: 60 * SECOND },
    },
  ],
  [
    'one that succeeds during the start period, after the settling time',
    'runc',
    {
      Test: ['CMD-SHELL', 'test -e /tmp/late || { : > /tmp/late; false; }'],
      ...times,
      StartPeriod: 20 * SECOND,
    },
  ],
];

const bad: readonly Case[] = [
  [
    'a failure',
    'crun',
    { Test: ['CMD-SHELL', 'echo out; echo bad >&2; exit 3'], ...times },
    'ended with 3: out bad',
  ],
  [
    'a program that is not there',
    undefined,
    { Test: ['CMD', '/bin/nothing'], ...times },
    '/bin/nothing ended with ',
  ],
  [
    'one that never ends',
    undefined,
    { Test: ['CMD', '/bin/busybox', 'sleep', '1000'], ...times },
    '/bin/busybox sleep 1000 took longer than 1 s',
  ],
  [
    'one that never ends and ignores signals',
    undefined,
    { Test: ['CMD-SHELL', "trap '' TERM; while :; do /bin/busybox sleep 1; done"], ...times },
    'took longer than 1 s',
  ],
  ['endless output', 'runc', { Test: ['CMD', '/bin/busybox', 'yes'], ...times }, 'yes took longer than 1 s'],
  [
    'one that ends the service',
    'crun',
    { Test: ['CMD-SHELL', 'kill -TERM 1; /bin/busybox sleep 100'], ...times },
    'is not up: it ',
  ],
];

const invalid: readonly Case[] = [
  ['no command', 'runc', { Test: ['CMD'] }, 'Test must be NONE, or CMD or CMD-SHELL with a command'],
  ['another form', undefined, { Test: ['HTTP', 'x'] }, 'config.Healthcheck.Test must be NONE'],
  ['a time in words', undefined, { Test: ['CMD', 'x'], Interval: '5s' }, 'interval must be a number'],
];

let version = 0;

/** Pushes the next version of a plain image. */
function pushNext(check: object = { Test: ['NONE'] }): Promise<string> {
  version += 1;
  const script = 'trap "exit 0" TERM; while :; do /bin/busybox sleep 0.1; done';
  const Env = ['PATH=/bin', `VERSION=${version}`];
  return images.push('plain', {
    exports: undefined,
    config: { Cmd: ['/bin/sh', '-c', script], Env, Healthcheck: check },
  });
}

const update = ['containers', 'update', '--pull', '--settle', '0.2'];

describe.each(['runc', 'crun'] as const)('%s', (name) => {
  const choose = (cases: readonly Case[]) =>
    cases.filter(([, runtime]) => process.env.ATOMIC_HEALTH_CHECKS === 'all' || runtime === name);

  beforeAll(async () => {
    const image = await pushNext();
    await atomic(['pull', image]);
    const install = ['install', '--start', '--name', name, '--runtime', name];
    await atomic([...install, image]);
  });

  test.each(choose(good))('succeeds: %s', async (_, __, check) => {
    await pushNext(check);
    const text = await atomic([...update, name]);
    expect(text).toContain(`Updated ${name} to `);
  });

  // runc itself waits for such a process.
  test.if(name === 'crun')('succeeds: one that leaves a process with its output', async () => {
    await pushNext({ Test: ['CMD-SHELL', '/bin/busybox sleep 100 & exit 0'], ...times });
    expect(await atomic([...update, name])).toContain(`Updated ${name} to `);
  });

  test.each(choose(bad))(
    'fails, and the old deployment runs again: %s',
    async (_, __, check, reason = '') => {
      await pushNext(check);
      const run = await runAtomic([...update, name]);
      expect(run.stderr).toContain(reason);
      expect([run.status, run.stderr]).toEqual([1, expect.stringContaining(' is restored')]);
      expect((await command('systemctl', 'is-active', name)).trim()).toBe('active');
    },
  );

  test.each(choose(invalid))('is refused before the first change: %s', async (_, __, check, reason = '') => {
    await pushNext(check);
    const run = await runAtomic([...update, name]);
    expect(run.stderr).toContain(reason);
    expect(run.stderr).toContain('--no-health-check');
    await atomic([...update, '--no-health-check', name]);
  });
});

describe('http and tcp on the network of the host', () => {
  const web = 'http://127.0.0.1:8471';
  const quick = { interval: 0.5, timeout: 1, retries: 2 };

  /** A web server at 8471, and a port 8472 that accepts connections and says nothing. */
  function pushServer(healthCheck: object): Promise<string> {
    version += 1;
    const script = `#!/bin/sh
trap 'exit 0' TERM
cd /srv
/bin/busybox httpd -f -p 127.0.0.1:8471 -h /srv &
while :; do /bin/busybox sleep 1000 | /bin/busybox nc -l -p 8472; done &
echo ${version}
while :; do sleep 0.1; done
`;
    const manifest = { settle: 0.2, healthCheck: { ...quick, ...healthCheck }, defaultValues: { WORD: 'x' } };
    return images.push('server', {
      exports: {
        ...serviceExports,
        'manifest.json': JSON.stringify(manifest),
        'config.json.template': configTemplate,
      },
      extra: [
        { path: 'bin/run.sh', mode: 0o755, content: script },
        { path: 'srv/ok', mode: 0o644, content: 'ok' },
      ],
    });
  }

  beforeAll(async () => {
    const image = await pushServer({ tcp: 'localhost:8471' });
    await atomic(['pull', image]);
    await atomic(['install', '--start', image]);
  });

  test('answers and connections are healthy', async () => {
    for (const check of [{ http: `${web}/ok` }, { tcp: '127.0.0.1:8472' }]) {
      await pushServer(check);
      expect(await atomic(['containers', 'update', '--pull', 'server'])).toContain('Updated server to ');
    }
  });

  test.each([
    [{ http: `${web}/missing` }, `its health check fails: ${web}/missing: status 404`],
    [{ http: 'http://127.0.0.1:8472/' }, 'http://127.0.0.1:8472/: no answer within 1 s'],
    [{ tcp: '127.0.0.1:8473' }, '127.0.0.1:8473: connect ECONNREFUSED'],
  ])('%j is not healthy', async (check, reason) => {
    await pushServer(check);
    const { stderr, status } = await runAtomic(['containers', 'update', '--pull', 'server']);
    expect([status, stderr]).toEqual([1, expect.stringContaining(reason)]);
    expect((await command('systemctl', 'is-active', 'server')).trim()).toBe('active');
  });
});
