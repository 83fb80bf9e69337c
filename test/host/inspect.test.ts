/** The output about a container: healthy, updated, refused, held, damaged. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { formatJournal } from '../../src/containers/journal-format.ts';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command } from './support/commands.ts';

let images: ImageSource;
const quick = ['--settle', '0.5'];
const longValue = 'a long value that a person has set and that does not fit into a line of the terminal';

beforeAll(async () => {
  images = await openImageSource();
  const image = await push('hello');
  await atomic(['pull', image]);
  const set = ['--set-any', 'KEPT=1', '--set-any', `LONG=${longValue}`];
  await atomic(['install', '--system', '--name', 'web', ...set, image]);
  await command('systemctl', 'start', 'web');
});
afterAll(() => images[Symbol.asyncDispose]());

/** A version of the image with this default of WORD; `broken` is one whose service dies at once. */
function push(word: string, exports: Readonly<Record<string, string>> = {}): Promise<string> {
  const manifest = {
    ...{ version: '1.0', defaultValues: { WORD: word }, settle: 0.5 },
    healthCheck: { command: 'true', interval: 1 },
  };
  const script = { path: 'bin/run.sh', mode: 0o755, content: '#!/bin/sh\necho no luck\nexit 1\n' };
  return images.push('service', {
    exports: { ...serviceExports, 'manifest.json': JSON.stringify(manifest), ...exports },
    extra: word === 'broken' ? [script] : [],
  });
}

async function inspect() {
  const [container] = JSON.parse(await atomic(['containers', 'inspect', '--json', 'web'])).containers;
  return container;
}

/** The text; every line with a blank where it could be wrapped fits 80 columns. */
async function show(): Promise<string> {
  const text = await atomic(['containers', 'inspect', 'web']);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  return text;
}

test('one deployment, its values and their origins', async () => {
  const container = await inspect();
  expect(container).toMatchObject({
    ...{ name: 'web', state: 'running', problems: [], operation: null, held: false, changes: null },
    service: { active_state: 'active', sub_state: 'running', unit_file_state: 'enabled' },
    ...{ unit: '/etc/systemd/system/web.service', tmpfiles: '/etc/tmpfiles.d/web.conf' },
    refused_images: [],
  });
  expect(container.deployments.length).toBe(1);
  const [{ installed, ...deployment }] = container.deployments;
  const folder = `${checkouts}/web.0`;
  expect(deployment).toEqual({ deployment: 0, active: true, folder, problems: [] });
  expect(installed.values).toContainEqual({ name: 'WORD', value: 'hello', origin: 'image' });
  expect(installed.values).toContainEqual({ name: 'KEPT', value: '1', origin: 'person' });
  expect(installed.values).toContainEqual({ name: 'NAME', value: 'web', origin: 'system' });
  expect(installed.origins_recorded).toBe(true);
  expect(installed.health).toMatchObject({
    settle_seconds: 0.5,
    check: { command: ['/bin/sh', '-c', 'true'] },
  });
  expect(installed.asks).toContainEqual({ kind: 'user', subject: 'root' });
  const text = await show();
  expect(text).toStartWith('web: running\n  Service      web.service: active (running), enabled\n');
  expect(text).toContain('  Values       person    KEPT=1\n               person    LONG=a long value');
  expect(text).not.toContain('Other deployment');
  expect(text).not.toContain('DESTDIR');
});

test('what an image asks of the host is the same before the install; what it depends on is a variable', async () => {
  const readAsks = async (name: string) => {
    const { asks, asks_unknown } = JSON.parse(await atomic(['images', 'info', '--json', name]));
    return { asks, asks_unknown };
  };
  const { installed } = (await inspect()).deployments[0];
  expect(await readAsks(installed.image)).toEqual({ asks: installed.asks, asks_unknown: [] });

  const config = JSON.parse(serviceExports['config.json.template'] ?? '');
  const mount = { destination: '/data', type: 'bind', source: '$DATA', options: ['bind', 'ro'] };
  const template = JSON.stringify({ ...config, mounts: [...config.mounts, mount] });
  const open = await images.push('open', {
    exports: { ...serviceExports, 'config.json.template': template },
  });
  await atomic(['pull', open]);
  expect((await readAsks(open)).asks).toContainEqual({
    ...{ kind: 'host-path', subject: '$DATA', access: 'read-only' },
  });
  const broken = await images.push('bad', {
    exports: {
      ...serviceExports,
      'config.json.template': '{"a": $}',
      'tmpfiles.template': 'd /srv/x - - -\n',
    },
  });
  await atomic(['pull', broken]);
  expect(await readAsks(broken)).toEqual({
    asks: [{ kind: 'tmpfiles', subject: 'd /srv/x - - -' }],
    asks_unknown: [expect.stringContaining("'/exports/config.json.template' cannot be used")],
  });
});

test('diff of a container with one deployment, or of anything else alone, is refused', async () => {
  const single = await failingAtomic(1, ['diff', 'web']);
  expect(single).toContain('error: comparing the deployments of web: it has only one, web.0\n');
  expect(single).toContain('atomic diff web IMAGE');
  expect(await failingAtomic(2, ['diff', 'web.0'])).toContain("B is missing, and 'web.0' is not a container");
});

test('two deployments, how they differ, the image that was refused, and the hold', async () => {
  const unit = serviceExports['service.template']?.replace('[Service]', '[Service]\nNice=5') ?? '';
  await push('new', { 'service.template': unit });
  await atomic(['containers', 'update', '--pull', ...quick, 'web']);
  const refused = await push('broken');
  expect((await runAtomic(['containers', 'update', '--pull', ...quick, 'web'])).status).toBe(1);
  await atomic(['containers', 'hold', 'web']);
  const container = await inspect();
  expect(container).toMatchObject({ state: 'running', held: true, problems: [] });
  const [current, other] = container.deployments;
  expect([current.deployment, current.active, other.deployment, other.active]).toEqual([1, true, 0, false]);
  expect(container.changes).toMatchObject({
    ...{ from: 0, to: 1, runtime: null, host_files: [], asks_gained: [], asks_dropped: [] },
    image: { before: { id: other.installed.image_id }, after: { id: current.installed.image_id } },
    values: [{ name: 'WORD', before: 'hello', after: 'new' }],
  });
  const [unitChange, configChange] = container.changes.files;
  expect(unitChange).toEqual({
    role: 'unit',
    lines: [
      { change: 'removed', text: 'Description=web says hello' },
      { change: 'added', text: 'Description=web says new' },
      { change: 'added', text: 'Nice=5' },
    ],
  });
  expect(configChange.role).toBe('config');
  const stored = JSON.parse(await atomic(['images', 'info', '--json', refused]));
  expect(container.refused_images).toMatchObject([{ id: stored.id, log: ['no luck'] }]);
  const text = await show();
  expect(text).toContain('\nOther deployment, for a rollback: web.0\n');
  expect(text).toContain('  Values       WORD: hello -> new\n  Unit         2 lines added, 1 removed\n');
  expect(text).toMatch(/\nRefused image: .*\n {2}Image ID {5}[0-9a-f]{12}\n(?:.*\n)* {2}Log {10}no luck\n$/);

  const [listed] = JSON.parse(await atomic(['containers', 'list', '-a', '--json']));
  expect(listed.deployments).toMatchObject([
    { deployment: 1, active: true, image_id: current.installed.image_id },
    { deployment: 0, active: false, image_id: other.installed.image_id },
  ]);
  expect(listed.deployments[1].created_at).toBe(other.installed.created_at);
});

test('diff of the container alone: files, values, and what was rendered', async () => {
  const text = await atomic(['diff', 'web']);
  expect(text).toContain('C /exports/manifest.json  (');
  expect(text).toMatch(/\nFrom web\.0 to web\.1:\n {2}Image ID .*\n {2}Values {7}WORD: hello -> new\n/);
  const unit = '  -Description=web says hello\n  +Description=web says new\n  +Nice=5\n';
  expect(text).toContain(`\nUnit:\n${unit}\nconfig.json:\n  -      "WORD=hello"\n  +      "WORD=new"\n`);
  const document = JSON.parse(await atomic(['diff', '--json', 'web']));
  expect([document.before.deployment, document.after.deployment]).toEqual([0, 1]);
  expect(document.changes.length).toBeGreaterThan(0);
  expect(document.deployments).toEqual((await inspect()).changes);
});

test('a deployment of the original, whose info does not have the origins', async () => {
  const path = `${checkouts}/web.0/info`;
  const text = readFileSync(path, 'utf8');
  const { 'value-origins': _, ...info } = JSON.parse(text);
  writeFileSync(path, JSON.stringify(info));
  const { installed } = (await inspect()).deployments[1];
  expect(installed.origins_recorded).toBe(false);
  expect(installed.values).toContainEqual({ name: 'WORD', value: 'hello', origin: 'image' });
  expect(installed.values).toContainEqual({ name: 'KEPT', value: '1', origin: 'person' });
  expect(await show()).toContain('the origins are inferred');
  writeFileSync(path, text);
});

test('damage is a line, and the other facts are shown', async () => {
  const unit = '/etc/systemd/system/web.service';
  const kept = [
    unit,
    `${checkouts}/web.0/info`,
    `${checkouts}/web.1/info`,
    `${checkouts}/web.1/config.json`,
  ].map((path) => [path, readFileSync(path)] as const);
  writeFileSync(unit, '[Service]\nExecStart=/bin/true\n');
  expect((await inspect()).problems).toEqual([expect.stringContaining('it was changed by hand')]);
  expect(await show()).toContain('\nChanges from web.0 to web.1');

  writeFileSync(`${checkouts}/web.0/info`, '{"image":');
  writeFileSync(`${checkouts}/web.1/config.json`, 'no JSON');
  const half = await inspect();
  expect(half).toMatchObject({ state: 'running', changes: null });
  expect(await failingAtomic(1, ['diff', 'web'])).toContain(`${checkouts}/web.0/info: line 1`);
  expect(half.deployments[0].installed.asks).toBe(null);
  expect(half.deployments[1]).toMatchObject({
    installed: null,
    problems: [expect.stringContaining('line 1')],
  });
  expect(await show()).toContain('Asks         not known\n');

  rmSync(`${checkouts}/web.1/info`);
  expect(await inspect()).toMatchObject({ state: 'damaged', held: true });
  const text = await show();
  expect(text).toContain(`Problem      there is no ${checkouts}/web.1/info\n`);
  expect(text).toContain('`atomic uninstall web` removes what is left of it\n');
  for (const [path, content] of kept) writeFileSync(path, content);
  expect(await inspect()).toMatchObject({ state: 'running', problems: [] });
});

test('an interrupted operation is named', async () => {
  const journal = `${checkouts}/.atomic/journal/web.json`;
  const commit = { phase: 'building' } as const;
  writeFileSync(
    journal,
    formatJournal({ operation: 'update', containers: ['web'], commit, back: [], rest: [] }),
  );
  expect(await inspect()).toMatchObject({
    operation: { operation: 'update', phase: 'building' },
    problems: [expect.stringContaining('An update still runs, or was interrupted')],
  });
  writeFileSync(journal, 'garbage');
  expect(await inspect()).toMatchObject({ operation: null, problems: [expect.stringContaining(journal)] });
  rmSync(journal);
});

test('a name without a container is an error, and nothing is printed', async () => {
  const run = await runAtomic(['containers', 'inspect', 'web', 'nowhere']);
  expect(run).toMatchObject({ status: 1, stdout: '' });
  expect(run.stderr).toContain("System container 'nowhere' is not installed");
  expect(await failingAtomic(2, ['containers', 'inspect', 'a b'])).toContain('Invalid container name');
});
