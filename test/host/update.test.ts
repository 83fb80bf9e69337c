/** Updates and rollbacks of services that really run. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import {
  configTemplate,
  type ImageFiles,
  type ImageSource,
  openImageSource,
  serviceExports,
} from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { readActivity, readEnablement, readInvocation } from './support/services.ts';

let images: ImageSource;
let service: string;
/** Short, because most services here live or die at once. */
const quick = ['--settle', '0.5'];
const journal = `${checkouts}/.atomic/journal/web.json`;

beforeAll(async () => {
  images = await openImageSource();
});
afterAll(() => images[Symbol.asyncDispose]());

beforeEach(async () => {
  if (await isFresh()) return;
  if (existsSync(`${checkouts}/web`)) await atomic(['uninstall', 'web']);
  service = await push({});
  await atomic(['pull', service]);
  await atomic(['install', '--system', '--name', 'web', service]);
  await command('systemctl', 'start', 'web');
  await readWord();
});

/** Whether the container is as it was installed and started: an update that failed must leave it so. */
async function isFresh(): Promise<boolean> {
  if (!existsSync(`${checkouts}/web`) || existsSync(`${checkouts}/web.1`)) return false;
  const { 'value-origins': origins } = readInfo();
  return (
    origins.WORD === 'image' && readInfo().values.WORD === 'hello' && (await readActivity('web')) === 'active'
  );
}

/** Pushes a version of the image; without files it is the first one. */
function push({ exports = {}, ...rest }: ImageFiles): Promise<string> {
  return images.push('service', { exports: { ...serviceExports, ...exports }, ...rest });
}

/** A version with another default of WORD, and `lines` before the loop of its script. */
async function pushNext(word: string, script?: string, exports: Readonly<Record<string, string>> = {}) {
  const manifest = JSON.stringify({ version: '1.0', defaultValues: { WORD: word } });
  const extra =
    script === undefined ? [] : [{ path: 'bin/run.sh', mode: 0o755, content: `#!/bin/sh\n${script}\n` }];
  await push({ exports: { 'manifest.json': manifest, ...exports }, extra });
}

async function readWord(): Promise<string> {
  const path = '/run/web/word';
  await waitUntil(
    'web has written its word',
    async () => existsSync(path) && readFileSync(path, 'utf8') !== '',
  );
  return readFileSync(path, 'utf8').trim();
}

function readInfo(): {
  values: Record<string, string>;
  'value-origins': Record<string, string>;
  revision: string;
} {
  return JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8'));
}

describe('an update', () => {
  test('with nothing to do writes nothing', async () => {
    const before = await command('find', checkouts, '-newer', `${checkouts}/web/info`, '-name', 'web*');
    const invocation = await readInvocation('web');
    expect(await atomic(['containers', 'update', 'web'])).toBe('Latest version already installed.\n');
    expect(await command('find', checkouts, '-newer', `${checkouts}/web/info`, '-name', 'web*')).toBe(before);
    expect(await readInvocation('web')).toBe(invocation);
  });

  test('to a new image, and back, and forth', async () => {
    await atomic(['containers', 'update', '--set-any', 'KEPT=1', ...quick, 'web']);
    await pushNext('new');
    const text = await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(text).toContain(`Extracting to ${checkouts}/web.0\n`);
    expect(text).toContain('systemctl stop web\nsystemctl start web\n');
    expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.0`);
    rmSync('/run/web/word', { force: true });
    await command('systemctl', 'restart', 'web');
    expect(await readWord()).toBe('new');
    expect(readInfo().values).toMatchObject({ WORD: 'new', KEPT: '1' });
    expect(await readEnablement('web')).toBe('enabled');

    const before = await readInvocation('web');
    const planned = await atomic(['containers', 'rollback', '--display', 'web']);
    const other = `${checkouts}/web.1`;
    expect(planned).toContain(
      `\nRolling back container web to the checkout at ${other}\n# Container web from image `,
    );
    for (const [path, copy] of [
      ['/etc/systemd/system/web.service', `${other}/web.service`],
      [`${other}/config.json`, `${other}/config.json`],
      [`${other}/info`, `${other}/info`],
    ] as const) {
      expect(planned).toContain(`# File ${path} (mode 0644)\n${readFileSync(copy, 'utf8').trimEnd()}\n`);
    }
    expect(planned).toEndWith(
      '# Commands\nsystemctl daemon-reload\nsystemd-tmpfiles --create /etc/tmpfiles.d/web.conf\nsystemctl enable web\n',
    );
    expect([await readInvocation('web'), readInfo().values.WORD]).toEqual([before, 'new']);

    const back = await atomic(['containers', 'rollback', ...quick, 'web']);
    expect(back).toStartWith(
      `Attempting to roll back system container: web\nRolling back container web to the checkout at ${checkouts}/web.1\n`,
    );
    expect(readInfo().values).toMatchObject({ WORD: 'hello', KEPT: '1' });
    expect(await readActivity('web')).toBe('active');
    expect(readFileSync('/etc/systemd/system/web.service', 'utf8')).toBe(
      readFileSync(`${checkouts}/web.1/web.service`, 'utf8'),
    );
    await atomic(['containers', 'rollback', ...quick, 'web']);
    expect(readInfo().values.WORD).toBe('new');
    expect(await atomic(['images', 'verify'])).not.toContain('damaged');
  });

  test('keeps the values of a person, takes new defaults of the image, and removes values', async () => {
    await atomic(['containers', 'update', '--set', 'WORD=mine', ...quick, 'web']);
    expect(readInfo()).toMatchObject({
      values: { WORD: 'mine' },
      'value-origins': { WORD: 'person', UUID: 'generated', NAME: 'system' },
    });
    const uuid = readInfo().values.UUID;
    await pushNext('new');
    await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(readInfo().values).toMatchObject({ WORD: 'mine', UUID: uuid });
    await atomic(['containers', 'update', '--unset', 'WORD', ...quick, 'web']);
    expect(readInfo()).toMatchObject({ values: { WORD: 'new' }, 'value-origins': { WORD: 'image' } });
    expect(await failingAtomic(2, ['containers', 'update', '--unset', 'WORD', 'web'])).toContain(
      'error: --unset WORD: no value was set for it',
    );
  });

  test('to an image with new variables names all that have no value, with the command', async () => {
    const template = configTemplate.replace('"PATH=/bin"', '"PATH=/bin","A=$FIRST","B=$SECOND"');
    await push({ exports: { 'config.json.template': template } });
    const { stderr } = await runAtomic(['containers', 'update', '--pull', 'web']);
    expect(stderr).toContain(
      'hint: Give it a value: atomic containers update --set FIRST=VALUE --set SECOND=VALUE web\n',
    );
    expect(await isFresh()).toBe(true);
  });

  test('leaves a stopped and disabled service stopped and disabled', async () => {
    await command('systemctl', 'disable', '--now', 'web');
    await pushNext('new');
    await atomic(['containers', 'update', '--pull', 'web']);
    expect([await readActivity('web'), await readEnablement('web')]).toEqual(['inactive', 'disabled']);
    expect(readInfo().values.WORD).toBe('new');
  });

  test('starts the units again that were stopped with the service', async () => {
    writeFileSync(
      '/run/systemd/system/leaf.service',
      '[Unit]\nBindsTo=web.service\nAfter=web.service\n[Service]\nExecStart=/bin/sleep infinity\n',
    );
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', 'leaf');
    await pushNext('new');
    await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(await readActivity('leaf')).toBe('active');
    await pushNext('broken', 'exit 1');
    expect(await failingAtomic1(['containers', 'update', '--pull', ...quick, 'web'])).toContain(
      'updating web: web.service is not up: ',
    );
    expect([await readActivity('leaf'), await readActivity('web')]).toEqual(['active', 'active']);
    await command('systemctl', 'stop', 'leaf');
    rmSync('/run/systemd/system/leaf.service');
    await command('systemctl', 'daemon-reload');
  });
});

describe('an update does not change files and units of the host:', () => {
  afterEach(async () => {
    for (const name of ['files', 'leaf']) {
      await runCommand(['systemctl', 'stop', name]);
      rmSync(`/run/systemd/system/${name}.service`, { force: true });
    }
    await command('systemctl', 'daemon-reload');
  });

  async function startHostUnit(name: string, unit = ''): Promise<void> {
    writeFileSync(
      `/run/systemd/system/${name}.service`,
      `[Unit]\n${unit}\n[Service]\nExecStart=/bin/sleep infinity\n`,
    );
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', name);
  }

  test('a unit with the name of a container without a service', async () => {
    const manifest = '{"noContainerService":true,"defaultValues":{"A":"1"}}';
    const tmpfiles = 'd /run/files 0755 - - -\n# $A\n';
    const files = await images.push('files', {
      exports: { 'manifest.json': manifest, 'tmpfiles.template': tmpfiles },
    });
    await atomic(['install', '--system', '--name', 'files', files]);
    await startHostUnit('files');
    const invocation = await readInvocation('files');
    await atomic(['containers', 'update', '--set-any', 'A=2', 'files']);
    await atomic(['containers', 'rollback', 'files']);
    await images.push('files', { exports: serviceExports });
    expect(await failingAtomic1(['containers', 'update', '--pull', '--accept-widening', 'files'])).toContain(
      `it has no service, and the image ${files} has a service`,
    );
    expect(existsSync('/etc/systemd/system/files.service')).toBe(false);
    expect(await readInvocation('files')).toBe(invocation);
    await atomic(['uninstall', 'files']);
  });

  test('symlinks that a person has added; the own alias may stay', async () => {
    const wants = '/etc/systemd/system/rescue.target.wants/web.service';
    await command('systemctl', 'add-wants', 'rescue.target', 'web');
    await pushNext('new');
    await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(existsSync(wants)).toBe(true);
    const aliased = { 'service.template': `${serviceExports['service.template']}Alias=web-alias.service\n` };
    for (const word of ['one', 'two']) {
      await pushNext(word, undefined, aliased);
      await atomic(['containers', 'update', '--pull', ...quick, 'web']);
      expect(readlinkSync('/etc/systemd/system/web-alias.service')).toBe('/etc/systemd/system/web.service');
    }
    await pushNext('three');
    await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(existsSync('/etc/systemd/system/web-alias.service')).toBe(false);
  });

  test('a unit that runs although the service has failed', async () => {
    await startHostUnit('leaf', 'PartOf=web.service');
    await command('systemctl', 'kill', '--signal=KILL', 'web');
    await waitUntil('web has failed', async () => (await readActivity('web')) === 'failed');
    const invocation = await readInvocation('leaf');
    await pushNext('new');
    await atomic(['containers', 'update', '--pull', ...quick, 'web']);
    expect(readInfo().values.WORD).toBe('new');
    expect(await readInvocation('leaf')).toBe(invocation);
  });

  test('paths that a failed version has created are removed, and a warning names the others', async () => {
    writeFileSync('/run/mine', '');
    const added = 'd /run/web-new/deep 0755 - - -\nf /run/web-file 0644 - - - x\nz /run/mine 0600 - - -\n';
    await pushNext('new', 'exit 1', {
      'tmpfiles.template': `${serviceExports['tmpfiles.template']}${added}`,
    });
    const stderr = await failingAtomic1([
      'containers',
      'update',
      '--pull',
      '--accept-widening',
      ...quick,
      'web',
    ]);
    expect(stderr).toContain(
      'What systemd-tmpfiles did for web is not undone for paths that existed before: z /run/mine 0600 - - -\n',
    );
    expect(existsSync('/run/web-new')).toBe(false);
    expect(existsSync('/run/web-file')).toBe(false);
    expect(existsSync('/run/web')).toBe(true);
    rmSync('/run/mine');
  });
});

/** Fails with status 1; progress is on standard output. */
async function failingAtomic1(args: readonly string[]): Promise<string> {
  const { status, stderr } = await runAtomic(args);
  expect(status).toBe(1);
  return stderr;
}

describe('an update that fails restores the old deployment, and the units that ran', () => {
  async function expectOld(): Promise<void> {
    expect(readlinkSync(`${checkouts}/web`)).toBe(`${checkouts}/web.0`);
    expect(readInfo().values.WORD).toBe('hello');
    expect(await readActivity('web')).toBe('active');
    expect(readFileSync('/etc/systemd/system/web.service', 'utf8')).toBe(
      readFileSync(`${checkouts}/web.0/web.service`, 'utf8'),
    );
    expect(existsSync(`${checkouts}/web.1`)).toBe(false);
    expect((await command('find', checkouts, '-maxdepth', '1', '-name', '.web*')).trim()).toBe('');
    expect(existsSync(`${checkouts}/.atomic/journal/web.json`)).toBe(false);
  }

  test.each([
    ['at once', 'echo I am broken >&2; exit 1', '0.5', 'start|settle'],
    ['before its main process starts', '', '0.5', 'start'],
    ['after a second', 'sleep 1; echo I am broken >&2; exit 3', '3', 'settle'],
  ])('a service that dies %s', async (_, script, settle, phase) => {
    const unit = serviceExports['service.template']?.replace(
      'ExecStart=',
      'ExecStartPre=/bin/false\nExecStart=',
    );
    await pushNext('new', script, script === '' ? { 'service.template': unit ?? '' } : {});
    const stderr = await failingAtomic1([
      'containers',
      'update',
      '--pull',
      '--accept-widening',
      '--settle',
      settle,
      '--json',
      'web',
    ]);
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect(error.code).toBe('ROLLED_BACK');
    expect(error.details.phase).toMatch(new RegExp(phase));
    expect(error.details.log.join('\n')).toContain(script === '' ? 'Control process exited' : 'I am broken');
    await expectOld();
  });

  test('a service that reports that it cannot start', async () => {
    const unit = serviceExports['service.template']?.replace(
      '[Service]',
      '[Service]\nType=notify\nTimeoutStartSec=2\nTimeoutStopSec=2',
    );
    await pushNext('new', "trap 'exit 0' TERM; echo I never say ready >&2; while :; do sleep 0.1; done", {
      'service.template': unit ?? '',
    });
    const stderr = await failingAtomic1(['containers', 'update', '--pull', '--json', 'web']);
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect([error.code, error.details.phase]).toEqual(['ROLLED_BACK', 'start']);
    expect(error.details.log.join('\n')).toContain('I never say ready');
    expect(error.details.reason).toEndWith('web.service failed: not within its TimeoutStartSec=');
    await expectOld();
  });

  test.each(['exit 0', 'exit 1'])('a container that ends with %s before it is ready', async (script) => {
    const unit = serviceExports['service.template']?.replace('[Service]', '[Service]\nType=notify');
    await pushNext('new', script, { 'service.template': unit ?? '' });
    const stderr = await failingAtomic1(['containers', 'update', '--pull', '--json', 'web']);
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect(error.code).toBe('ROLLED_BACK');
    expect(error.details.reason).toBe('the container of web.service ended before it was ready');
    await expectOld();
    const { containers } = JSON.parse(await atomic(['containers', 'inspect', '--json', 'web']));
    expect(containers[0].refused_images[0].reason).toBe(error.details.reason);
  });

  test('a health check that never succeeds; the image is recorded', async () => {
    await pushNext('new', undefined, {
      'manifest.json': JSON.stringify({
        defaultValues: { WORD: 'new' },
        healthCheck: { command: ['/bin/sh', '-c', 'echo not yet; exit 7'], retries: 1, interval: 1 },
      }),
    });
    const stderr = await failingAtomic1(['containers', 'update', '--pull', ...quick, 'web']);
    expect(stderr).toContain('its health check fails: /bin/sh -c echo not yet; exit 7 ended with 7: not yet');
    await expectOld();
    const all = await atomic(['containers', 'update', '--all', '--pull']);
    expect(all).toMatch(/web: image [0-9a-f]{12} is not tried again: /);
    await atomic(['containers', 'update', '--no-health-check', ...quick, 'web']);
    expect(readInfo().values.WORD).toBe('new');
  });

  test.each(['', '.', 'a/b', 'web/', '../x'])('the name %j', async (name) => {
    for (const verb of ['update', 'rollback']) {
      expect(await failingAtomic(2, ['containers', verb, '--', name])).toContain('Invalid container name');
    }
  });

  test('a unit that was edited by hand, and one that is masked', async () => {
    await pushNext('new');
    await atomic(['pull', service]);
    const unit = '/etc/systemd/system/web.service';
    const text = readFileSync(unit, 'utf8');
    writeFileSync(unit, `${text}# mine\n`);
    expect(await failingAtomic(1, ['containers', 'update', 'web'])).toContain(
      'it was changed by hand\nhint: Put your changes into a drop-in with `systemctl edit web`. Restore the file: atomic ',
    );
    rmSync(unit);
    expect(await failingAtomic(1, ['containers', 'update', 'web'])).toContain(
      'it is not there\nhint: Restore the file: atomic containers verify --repair web\n',
    );
    symlinkSync('/dev/null', unit);
    expect(await failingAtomic(1, ['containers', 'update', 'web'])).toContain(
      'it is masked\nhint: Run `systemctl unmask web`. Restore the file: atomic ',
    );
    rmSync(unit);
    writeFileSync(unit, text);
    await expectOld();
  });

  test("an alias that is a unit of the host's, and an image that only runs once", async () => {
    const unit = `${serviceExports['service.template']}Alias=systemd-journald.service\n`;
    await pushNext('new', undefined, { 'service.template': unit });
    expect(await failingAtomic1(['containers', 'update', '--pull', 'web'])).toContain(
      "error: Cannot update web: 'Alias=systemd-journald.service' in its unit: ",
    );
    await push({ config: { Labels: { 'atomic.run': 'once' } } });
    expect(await failingAtomic1(['containers', 'update', '--pull', 'web'])).toContain(
      `error: Cannot update web to ${service}: its label atomic.run=once `,
    );
    await expectOld();
  });

  test.each([
    ['after', 'BindsTo=web.service\nAfter=web.service', ''],
    ['before', 'PartOf=web.service\nBefore=web.service', 'Requires=leaf.service'],
  ])('a unit that starts %s the service and fails is named; no image is recorded', async (_, leaf, web) => {
    const script = `echo I need deployment 0; journalctl --sync; readlink ${checkouts}/web | grep -q "web[.]0"`;
    writeFileSync(
      '/run/systemd/system/leaf.service',
      `[Unit]\n${leaf}\n[Service]\nExecStartPre=/bin/sh -c '${script}'\nExecStart=/bin/sleep infinity\n`,
    );
    const dropIns = '/run/systemd/system/web.service.d';
    mkdirSync(dropIns);
    writeFileSync(`${dropIns}/leaf.conf`, `[Unit]\n${web}\n`);
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', 'leaf');
    await pushNext('new');
    const readRefused = async () =>
      JSON.parse(await atomic(['containers', 'inspect', '--json', 'web'])).containers[0].refused_images;
    const before = await readRefused();
    const stderr = await failingAtomic1(['containers', 'update', '--pull', '--json', ...quick, 'web']);
    const { error } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect(error.message).toStartWith('updating web: leaf.service is not up: ');
    expect(error).toMatchObject({
      code: 'ROLLED_BACK',
      hint: 'See `journalctl --unit leaf`.',
      details: { phase: 'start', unit: 'leaf.service' },
    });
    expect(error.details.log.join('\n')).toContain('I need deployment 0');
    expect(error.details.culprit).toBeUndefined();
    expect(await readRefused()).toEqual(before);
    await expectOld();
    expect(await readActivity('leaf')).toBe('active');
    rmSync(dropIns, { recursive: true });
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'stop', 'leaf');
    rmSync('/run/systemd/system/leaf.service');
    await command('systemctl', 'daemon-reload');
  });

  test('what does not start again is named, and there is nothing to recover', async () => {
    writeFileSync('/run/leaf-may-start', '');
    writeFileSync(
      '/run/systemd/system/leaf.service',
      '[Unit]\nBindsTo=web.service\nAfter=web.service\n[Service]\nExecStartPre=/bin/test -e /run/leaf-may-start\nExecStart=/bin/sleep infinity\n',
    );
    await command('systemctl', 'daemon-reload');
    await command('systemctl', 'start', 'leaf');
    rmSync('/run/leaf-may-start');
    await pushNext('new');
    const stderr = await failingAtomic1(['containers', 'update', '--pull', ...quick, 'web']);
    expect(stderr).toContain('undoing that failed too');
    expect(stderr).toContain(
      'hint: Everything else is restored: look for the cause with `systemctl --failed`',
    );
    expect(await atomic(['recover'])).toBe('Nothing to recover.\n');
    await expectOld();
    rmSync('/run/systemd/system/leaf.service');
    await command('systemctl', 'daemon-reload');
  });

  test('a variable without a value', async () => {
    await pushNext('new', undefined, { 'tmpfiles.template': 'D /run/$NAME 0755 - - -\n# $TOKEN\n' });
    expect(await failingAtomic1(['containers', 'update', '--pull', 'web'])).toContain('--set TOKEN=VALUE');
    await expectOld();
  });

  test('an update that asks for more of the host', async () => {
    const config = JSON.parse(serviceExports['config.json.template'] ?? '');
    config.mounts.push({ destination: '/srv', type: 'bind', source: '/etc', options: ['rbind', 'ro'] });
    await pushNext('new', undefined, { 'config.json.template': JSON.stringify(config) });
    const stderr = await failingAtomic1(['containers', 'update', '--pull', 'web']);
    expect(stderr).toContain('asks for more of the host: /etc of the host, read-only');
    expect(stderr).toContain('--accept-widening web');
    await expectOld();
    writeFileSync('/tmp/any.conf', 'consent: any\n');
    const all = ['containers', 'update', '--all', ...quick];
    const { status, stderr: warnings } = await runAtomic(all, { env: { ATOMIC_CONF: '/tmp/any.conf' } });
    expect([status, readInfo().values.WORD]).toEqual([0, 'new']);
    expect(warnings).toContain('web now asks: /etc of the host, read-only');
  });

  test.each([
    ['rename', '/etc/tmpfiles.d/.web.conf.new'],
    ['rename', '/etc/systemd/system/.web.service.new'],
    ['rename', `${checkouts}/.web.link`],
  ])('a kill at the %s of %s', async (call, path) => {
    await pushNext('new');
    await atomic(['pull', service]);
    runKilled(['containers', 'update', ...quick, 'web'], call, path);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeDefined();
    await atomic(['recover']);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
    await expectOld();
  });

  test('a kill while it is building', async () => {
    await pushNext('new');
    await atomic(['pull', service]);
    runKilled(['containers', 'update', ...quick, 'web'], 'mkdir', `${checkouts}/.web.1.new/rootfs`);
    expect(readFileSync(journal, 'utf8')).toContain('building');
    await atomic(['recover']);
    await expectOld();
  });

  test('a kill while it is switching', async () => {
    await pushNext('new', 'sleep 100');
    await atomic(['pull', service]);
    const update = runAtomic(['containers', 'update', '--settle', '30', 'web']);
    await waitUntil(
      'the journal is there',
      async () => existsSync(journal) && readFileSync(journal, 'utf8').includes('switching'),
    );
    await runCommand(['pkill', '--signal', 'KILL', '--full', 'atomic containers update']);
    await update;
    await atomic(['recover']);
    await expectOld();
  });
});

test('a rollback without another deployment fails', async () => {
  expect(await failingAtomic1(['containers', 'rollback', 'web'])).toContain(
    `Error: Cannot find a previous deployment to rollback located at ${checkouts}/web.1`,
  );
});
