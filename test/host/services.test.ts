/** The verbs for the services of containers, with both runtimes and with a PID file. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports, serviceTemplate } from './container-images.ts';
import { runCommand } from './support/commands.ts';
import { readActivity } from './support/services.ts';

let images: ImageSource;
let service: string;
let withPidFile: string;
let ends: string;

beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  const unit = serviceTemplate.replace(
    'ExecStart=$EXEC_START',
    'Type=forking\nPIDFile=$PIDFILE\nExecStart=$EXEC_START\nExecStopPost=$EXEC_STOPPOST',
  );
  withPidFile = await images.push('pidfile', { exports: { ...serviceExports, 'service.template': unit } });
  const script = 'echo "cannot read /etc/x.conf"; exit 7';
  const config = JSON.parse(serviceExports['config.json.template'] ?? '');
  const failing = { ...config, process: { ...config.process, args: ['/bin/sh', '-c', script] } };
  ends = await images.push('ends', {
    exports: { ...serviceExports, 'config.json.template': JSON.stringify(failing) },
  });
});
afterAll(() => images[Symbol.asyncDispose]());

const install = async (image: string, name: string, ...options: readonly string[]) =>
  runAtomic(['install', '--system', '--name', name, ...options, image]);

describe.each([
  ['runc', () => service, []],
  ['crun', () => service, ['--runtime', '/usr/bin/crun']],
  ['runc with a PID file', () => withPidFile, []],
])('%s', (_, image, options) => {
  test('a service is started, shown, restarted, and stopped', async () => {
    const installed = await install(image(), 'web', ...options);
    expect(installed.stderr).toEndWith('Start the service: atomic start web\n');
    expect(await runAtomic(['status', 'web'])).toMatchObject({ status: 3 });

    expect(await atomic(['start', 'web'])).toBe('systemctl start web\nweb is running\n');
    expect(await atomic(['start', 'web'])).toBe('web is already running\n');
    const shown = JSON.parse(await atomic(['status', '--json', 'web'])).services;
    expect(shown).toMatchObject([{ name: 'web', active_state: 'active', enabled: true, result: 'success' }]);
    expect(await atomic(['status', 'web'])).toContain('active (running)');

    expect(await atomic(['restart', 'web'])).toBe('systemctl restart web\nweb is running\n');
    const [restarted] = JSON.parse(await atomic(['status', '--json', 'web'])).services;
    expect(restarted.main_pid).not.toBe(shown[0].main_pid);

    expect(await atomic(['stop', 'web'])).toBe('systemctl stop web\nweb has stopped\n');
    expect(await atomic(['stop', 'web'])).toBe('web was not running\n');
    expect(await readActivity('web')).toBe('inactive');
    expect(await atomic(['logs', 'web'])).toContain('web');
    await atomic(['uninstall', 'web']);
  });

  test('a service that ends at once is an error, with the end of its log', async () => {
    await install(ends, 'ends', '--set=WORD=x', ...options);
    const { stderr, status } = await runAtomic(['start', 'ends']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ends: .*cannot read \/etc\/x\.conf$/m);
    expect(stderr).toMatch(/^error: starting ends\.service is not up: .*7/m);
    expect(stderr).toEndWith('hint: The whole log: atomic logs ends\n');
    await atomic(['uninstall', 'ends']);
  });
});

test.each([
  [
    '/etc/new',
    [],
    /^hint: The root filesystem of a container is read-only\. .* update writes --tmpfs PATH; /m,
  ],
  ['/dev/stdout', ['--runtime', '/usr/bin/crun'], /^hint: With crun, \/dev\/stdout .* --runtime runc\. /m],
] as const)('a service that cannot write to %s gets a hint', async (path, options, hint) => {
  const writes = await images.push('writes', {
    config: { Cmd: ['sh', '-c', `echo x >${path}`], Env: ['PATH=/bin'] },
  });
  const { stderr } = await install(writes, 'writes', '--pull', '--start', ...options);
  expect(stderr).toMatch(hint);
  expect(stderr).toEndWith(' The whole log: atomic logs writes\n');
  await atomic(['uninstall', '--purge', '-y', 'writes']);
});

test('several services: the error names those that are not up', async () => {
  await install(service, 'one');
  await install(ends, 'two', '--set=WORD=x');
  const { stderr, status } = await runAtomic(['start', 'one', 'two']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: starting two\.service is not up: .*; up: one$/m);
  expect(await readActivity('one')).toBe('active');
  await atomic(['uninstall', 'one', 'two']);
});

test('an install with --start starts the service; a service that does not stay up is an error', async () => {
  const { stdout, stderr } = await install(service, 'web', '--start');
  expect(stdout).toEndWith('systemctl start web\n');
  expect(stderr).not.toContain('Start the service');
  expect(await readActivity('web')).toBe('active');
  const again = await runAtomic(['install', '--system', '--name=web', '--start', '--json', service]);
  expect(JSON.parse(again.stdout)).toMatchObject({
    outcome: 'already-present',
    changed: false,
    started: true,
  });
  expect(await install(ends, 'ends', '--start', '--set=WORD=x')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^ends: .*[\s\S]*\nerror: starting ends\.service is not up: /m),
  });
  await atomic(['uninstall', 'web', 'ends']);
});

test('a slow stop says what it waits for', async () => {
  const unit = serviceTemplate.replace('ExecStop=$EXEC_STOP', 'ExecStop=/bin/sleep 3\nTimeoutStopSec=95');
  const slow = await images.push('slow', { exports: { ...serviceExports, 'service.template': unit } });
  await install(slow, 'slow', '--start');
  expect((await runAtomic(['uninstall', 'slow'])).stderr).toMatch(
    /^Waiting for slow\.service to stop; systemd kills it after 1min 35s$/m,
  );
});

test('services that atomic did not install are left to systemctl', async () => {
  for (const verb of ['start', 'stop', 'restart', 'status', 'logs']) {
    const command = verb === 'logs' ? 'journalctl --unit' : `systemctl ${verb}`;
    expect(await runAtomic([verb, 'systemd-journald'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr:
        "error: System container 'systemd-journald' is not installed\n" +
        `hint: systemd-journald.service does not belong to atomic: ${command} systemd-journald\n`,
    });
  }
});

test('a container without a service, and one without its unit, are refused', async () => {
  const files = await images.push('files', {
    exports: { 'manifest.json': '{"noContainerService":true}', 'tmpfiles.template': 'd /run/$NAME\n' },
  });
  expect((await install(files, 'files')).stderr).not.toContain('Start the service');
  expect(await runAtomic(['start', 'files'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^error: The container files has no service: /),
  });
  await install(service, 'web');
  await rm('/etc/systemd/system/web.service');
  expect(await runAtomic(['start', 'web'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('there is no /etc/systemd/system/web.service'),
  });
  await atomic(['uninstall', 'files', 'web']);
});

test('logs follows until a signal, and leaves no journalctl behind', async () => {
  await install(service, 'web', '--start');
  const child = spawn('atomic', ['logs', '-f', '-n', '1', 'web'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stderr = text(child.stderr);
  const first = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data))),
  );
  expect(first).toContain('web');
  child.kill('SIGINT');
  const status = await new Promise((resolve) => child.once('close', resolve));
  expect({ status, stderr: await stderr }).toEqual({ status: 130, stderr: '' });
  expect((await runCommand(['pgrep', '-f', 'journalctl.*web.service'])).status).toBe(1);
  expect(await runAtomic(['logs', '-n', 'few', 'web'])).toMatchObject({ status: 2, stdout: '' });
  await atomic(['uninstall', 'web']);
});
