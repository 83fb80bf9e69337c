/** The progress that a person sees, interruptions, and the progress for scripts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { atomic, runAtomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { type BuiltImage, buildImage } from '../support/oci-image.ts';
import { pushImage } from '../support/registry-push.ts';
import { requireProgressSchema } from '../support/schemas.ts';
import { tree } from '../support/tree.ts';
import { diffSnapshots, takeSnapshot } from '../support/tree-snapshot.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { formatStoredLine } from './support/stored-line.ts';
import { renderScreen, runOnTerminal } from './support/terminal.ts';

const checkouts = '/var/lib/containers/atomic';
const output = '/run/atomic-output';

let images: ImageSource;
let faulty: FaultyRegistry;
let counter = 0;

beforeAll(async () => {
  images = await openImageSource();
  faulty = await startFaultyRegistry(images.registry);
  await writeHostContainersConfig({ insecure: [images.registry.address, faulty.address] });
});
// Makes the folders of the store, which stay.
beforeAll(async () => atomic(['pull', await images.push('first', { exports: undefined })]));
beforeEach(() => faulty.setRules([]));
afterAll(async () => {
  await faulty.stop();
  await images.registry.stop();
});

interface SlowImage {
  readonly name: string;
  readonly built: BuiltImage;
  /** Hex digits of its only layer. */
  readonly layer: string;
}

/** An image that was not pulled yet; its layer has half a megabyte and arrives with `fault`. */
async function pushSlowImage(fault: Fault): Promise<SlowImage> {
  const built = buildImage({ layers: [tree`f blob 0644 ${randomBytes(400_000).toString('base64')}`] });
  const repository = `test/slow${++counter}`;
  await pushImage(images.registry, repository, built);
  const digest = built.layers[0]?.digest ?? '';
  faulty.setRules([{ path: `/blobs/${digest}`, fault }]);
  return { name: `${faulty.address}/${repository}`, built, layer: digest.replace('sha256:', '') };
}

/** A fault that stops in the middle of the layer, and what tells that it has. */
function holdInMiddle(until: Promise<void>): { fault: Fault; reached: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { fault: { kind: 'hold', afterBytes: 200_000, until, reached: resolve }, reached: promise };
}

const slow: Fault = { kind: 'slow', bytes: 20_000, milliseconds: 60 };
const never = new Promise<void>(() => {});

/** Up to an interruption. */
function beginLines({ name, layer }: SlowImage): string[] {
  return [`Image ${name} is being pulled to ostree ...`, `Pulling layer ${layer}`];
}

function pullLines(image: SlowImage): string[] {
  const stored = formatStoredLine(`${image.name}:latest`, image.built, [`sha256:${image.layer}`]);
  return [...beginLines(image), 'Copying blobs: 1 layer fetched', stored];
}

describe('on a terminal', () => {
  test('a bar grows and disappears at the end', async () => {
    const image = await pushSlowImage(slow);
    const run = runOnTerminal(`atomic pull ${image.name}`);
    expect(await run.ended).toBe(0);
    const written = run.written();
    const bars = [...written.matchAll(/([0-9a-f]{12}) {2}\[#*-*\] {2} *(\d+)%/g)];
    const percents = bars.map(([, , percent]) => Number(percent));
    expect(new Set(bars.map(([, label]) => label))).toEqual(new Set([image.layer.slice(0, 12)]));
    expect(percents.filter((percent) => percent > 0 && percent < 100).length).toBeGreaterThan(1);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    // Bytes of all bytes, rate, time left.
    expect(written).toMatch(/\d+\.\d\d [KM]?B \/ \d+\.\d\d [KM]B {2,}\d+\.\d\d [KM]B\/s {2,}\d\d:\d\d/);
    expect(renderScreen(written)).toEqual(pullLines(image));
  });

  test('bars are drawn on standard error only', async () => {
    const image = await pushSlowImage(slow);
    const run = runOnTerminal(`atomic pull ${image.name} >${output}`);
    expect(await run.ended).toBe(0);
    expect(run.written()).toContain('%');
    expect(renderScreen(run.written())).toEqual([]);
    expect(await readFile(output, 'utf8')).toBe(`${pullLines(image).join('\n')}\n`);
  });

  test.each([
    ['when standard error is a file', `2>${output}`, 'xterm'],
    ['on a terminal that cannot move its cursor', '', 'dumb'],
  ])('there are plain lines only %s', async (_, redirection, terminal) => {
    const image = await pushSlowImage(slow);
    const run = runOnTerminal(`atomic pull ${image.name} ${redirection}`, terminal);
    expect(await run.ended).toBe(0);
    expect(run.written()).toBe(`${pullLines(image).join('\r\n')}\r\n`);
  });

  test('Ctrl-C removes the bars, prints a line, and leaves no files', async () => {
    const { fault, reached } = holdInMiddle(never);
    const image = await pushSlowImage(fault);
    const before = takeState();
    const run = runOnTerminal(`atomic pull ${image.name}`);
    await reached;
    await waitUntil('there is a bar', async () => run.written().includes('%'));
    run.type('\u0003');
    expect(await run.ended).toBe(130);
    const [first, second, ...message] = renderScreen(run.written());
    expect([first, second]).toEqual(beginLines(image));
    expect(message.join('')).toMatch(/^(?:\^C)?error: pulling .*: interrupted by SIGINT$/);
    await expectNothingLeft(before);
  });
});

describe('in a log', () => {
  test('a long layer has a line every ten seconds', async () => {
    const until = Promise.withResolvers<void>();
    const { fault, reached } = holdInMiddle(until.promise);
    const image = await pushSlowImage(fault);
    const child = spawn('atomic', ['pull', image.name], { stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout = text(child.stdout);
    await reached;
    const line = await new Promise<string>((resolve) =>
      child.stderr.once('data', (data) => resolve(String(data))),
    );
    until.resolve();
    expect(line).toMatch(
      new RegExp(`^Layer ${image.layer.slice(0, 12)}: 200\\.00 KB of \\d+\\.\\d\\d KB(?:, .*)?\\n$`),
    );
    expect(await stdout).toBe(`${pullLines(image).join('\n')}\n`);
  });
});

describe('interrupted in the middle of a layer', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: status %i, nothing changed, no skopeo left', async (signal, status) => {
    const { fault, reached } = holdInMiddle(never);
    const image = await pushSlowImage(fault);
    const before = takeState();
    const stop = new AbortController();
    const run = runAtomic(['pull', image.name], { signal: stop.signal, killSignal: signal });
    await reached;
    stop.abort();
    expect(await run).toMatchObject({
      stdout: `${beginLines(image).join('\n')}\n`,
      stderr: expect.stringMatching(
        new RegExp(`^error: pulling ${image.name}: .*interrupted by ${signal}\\n$`),
      ),
      status,
    });
    await expectNothingLeft(before);
  });

  test('an install: neither image nor container', async () => {
    const { fault, reached } = holdInMiddle(never);
    const image = await pushSlowImage(fault);
    // Makes the folders of locks and journals, which stay.
    await runAtomic(['install', '--system', '--name=first', `${faulty.address}/test/nothing`]);
    const before = takeState();
    const stop = new AbortController();
    const run = runAtomic(['install', '--system', '--json', image.name], { signal: stop.signal });
    await reached;
    stop.abort();
    const { stdout, stderr, status } = await run;
    expect({ stdout, status }).toEqual({ stdout: '', status: 143 });
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toEqual({
      schemaVersion: 1,
      error: {
        code: 'INTERRUPTED',
        message: expect.stringMatching(/^pulling .*interrupted by SIGTERM$/),
        hint: null,
        details: {},
      },
    });
    await expectNothingLeft(before);
  });

  test('an interrupted command can be repeated', async () => {
    const { fault, reached } = holdInMiddle(never);
    const image = await pushSlowImage(fault);
    const stop = new AbortController();
    const run = runAtomic(['pull', image.name], { signal: stop.signal });
    await reached;
    stop.abort();
    await run;
    faulty.setRules([]);
    expect(await atomic(['pull', image.name])).toBe(`${pullLines(image).join('\n')}\n`);
    expect(await atomic(['images', 'list', '-n', '-f', `repo=${image.name}`])).toContain(image.name);
  });
});

describe('waiting for another command', () => {
  test('two installs of one name: the second waits, reports it, and finds the container', async () => {
    const image = buildImage({
      layers: [tree`f run.sh 0755 \\#!\n`, tree`f late 0644 late`],
      config: { Cmd: ['/run.sh'] },
    });
    await pushImage(images.registry, 'test/slow', image);
    const reached = Promise.withResolvers<void>();
    const until = Promise.withResolvers<void>();
    const fault: Fault = { kind: 'hold', afterBytes: 10, until: until.promise, reached: reached.resolve };
    faulty.setRules([{ path: `/blobs/${image.layers[1]?.digest}`, fault }]);
    const name = `${faulty.address}/test/slow`;

    const first = runAtomic(['install', '--system', name]);
    await reached.promise;
    const second = runCommand(['sh', '-c', `atomic install --system ${name} 2>${output}`]);
    await waitUntil('the second install waits', async () => (await command('cat', output)) !== '');
    until.resolve();

    expect(await first).toMatchObject({ status: 0 });
    expect(await second).toMatchObject({ stdout: 'slow already present\n', status: 0 });
    expect(await command('cat', output)).toMatch(
      /^Waiting for slow, held by process \d+: atomic install slow\n$/,
    );
    await atomic(['uninstall', 'slow']);
  });
});

describe('--json prints one document', () => {
  const readDocument = async (...args: readonly string[]): Promise<{ document: unknown; stderr: string }> => {
    const { stdout, stderr, status } = await runAtomic([...args, '--json']);
    expect(status).toBe(0);
    return { document: JSON.parse(stdout), stderr };
  };

  test('of every verb that changes something, and progress goes to standard error', async () => {
    const image = await images.push('service', { exports: serviceExports });
    const pulled = await readDocument('pull', image);
    const { layers = [] } = (pulled.document as { image: { layers?: string[] } }).image;
    // The first is that of the image which was pulled before.
    const [shared = '', own = ''] = layers;
    expect(pulled.document).toEqual({
      schemaVersion: 1,
      image: {
        reference: image,
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        commit: expect.stringMatching(/^[0-9a-f]{64}$/),
        layers: [
          expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        ],
      },
      fetched: [own],
      bytes_fetched: expect.any(Number),
      reused: [shared],
    });
    expect(pulled.stderr.split('\n')).toEqual([
      `Image ${image} is being pulled to ostree ...`,
      `Pulling layer ${own.replace('sha256:', '')}`,
      'Copying blobs: 1 layer fetched',
      expect.stringMatching(new RegExp(`^Stored ${image}, id [0-9a-f]{12}, 1 of 2 layers fetched, .*B$`)),
      '',
    ]);

    const installed = await readDocument('install', '--system', image);
    expect(installed.document).toMatchObject({ schemaVersion: 1, outcome: 'installed', name: 'service' });
    expect(installed.stderr.split('\n')[0]).toBe(`Extracting to ${checkouts}/service.0`);
    expect((await readDocument('install', '--system', image)).document).toEqual({
      schemaVersion: 1,
      outcome: 'already-present',
      name: 'service',
      changed: false,
      differences: [],
      plan: null,
      started: false,
    });

    const removed = await readDocument('uninstall', 'service');
    expect(removed.document).toEqual({ schemaVersion: 1, uninstalled: 'service', kept: [] });
    expect(removed.stderr.split('\n')[0]).toBe('systemctl disable --now service');
    expect((await readDocument('recover')).document).toEqual({ schemaVersion: 1, recovered: [] });
  });

  test('of the lists', async () => {
    expect((await readDocument('images', 'list', '-f', 'repo=test/service')).document).toMatchObject([
      { repo: `${images.registry.address}/test/service`, tag: 'latest', used: false },
    ]);
    expect((await readDocument('containers', 'list', '-a')).document).toEqual([]);
  });
});

describe('--progress-fd and --quiet', () => {
  test('a pull reports every layer with its bytes, and prints nothing', async () => {
    const image = await pushSlowImage(slow);
    const line = `atomic pull --quiet --progress-fd 3 ${image.name} 3>${output}`;
    expect(await runCommand(['sh', '-c', line])).toMatchObject({ stdout: '', stderr: '', status: 0 });
    const lines = await readLines();
    const layer = `sha256:${image.layer}`;
    const bytesTotal = image.built.layers[0]?.size ?? 0;
    const counts = lines.filter(({ type }) => type === 'layer-bytes').map(({ bytes }) => bytes as number);
    expect(counts.length).toBeGreaterThan(1);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(lines.filter(({ type }) => type !== 'layer-bytes').map(({ text, ...fields }) => fields)).toEqual([
      { type: 'start', version: 1, verb: 'pull' },
      { type: 'pull', image: image.name },
      { type: 'step' },
      { type: 'step' },
      { type: 'plan', layers: [{ layer, bytesTotal }], bytesTotal },
      { type: 'layer-begin', layer, bytesTotal },
      { type: 'layer-end', layer, bytes: bytesTotal, bytesTotal },
      { type: 'notice' },
      { type: 'notice' },
      { type: 'end', outcome: 'done', exitStatus: 0, error: null },
    ]);
  });

  test('an install reports its commands, also when the reader closes the pipe after one line', async () => {
    const image = await images.push('service', { exports: serviceExports });
    const line = `atomic install --system --progress-fd 5 ${image} 5>&1 >/dev/null | head -n 1`;
    expect(JSON.parse(await command('bash', '-o', 'pipefail', '-c', line))).toMatchObject({
      type: 'start',
      verb: 'install',
    });
    await command('systemctl', 'is-enabled', 'service');
    await command('sh', '-c', `atomic install --system --progress-fd 5 ${image} 5>${output}`);
    expect((await readLines()).map(({ type }) => type)).toEqual(['start', 'end']);
    await atomic(['uninstall', 'service']);
  });

  const readLines = async (): Promise<Record<string, unknown>[]> => {
    const text = await readFile(output, 'utf8');
    requireProgressSchema(text);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
});

/** Objects of the store are left out: libostree keeps those of a failed pull for the next one of this boot. */
function takeState() {
  const exclude = ['objects', 'tmp'].map((name) => `${checkouts}/.storage/ostree/${name}`);
  return takeSnapshot(checkouts, { exclude, xattrs: false });
}

async function expectNothingLeft(before: ReturnType<typeof takeState>): Promise<void> {
  expect(diffSnapshots(before, takeState())).toEqual([]);
  expect(await runCommand(['pgrep', '--list-full', 'skopeo'])).toMatchObject({ stdout: '', status: 1 });
}
