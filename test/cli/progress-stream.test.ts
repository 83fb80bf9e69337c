import { expect, test } from 'bun:test';
import type { ProgressEvent } from '../../src/base/events.ts';
import type { Failure } from '../../src/cli/failure.ts';
import { openProgressStream } from '../../src/cli/progress/progress-stream.ts';

const HEX = 'ab'.repeat(32);
const digest = `sha256:${HEX}`;

function open(): { lines: string[]; stream: ReturnType<typeof openProgressStream>; wait(ms: number): void } {
  const lines: string[] = [];
  let time = 0;
  const stream = openProgressStream(
    'pull',
    (text) => lines.push(text),
    () => time,
  );
  const wait = (milliseconds: number): void => {
    time += milliseconds;
  };
  return { lines, stream, wait };
}

const events: [event: ProgressEvent, line: Record<string, unknown>][] = [
  [
    { kind: 'pull-started', image: 'reg/etcd' },
    { type: 'pull', image: 'reg/etcd', text: 'Image reg/etcd is being pulled to ostree ...' },
  ],
  [
    {
      kind: 'pull-planned',
      layers: [
        { digest, bytes: 1_000_000 },
        { digest: 'sha256:cd', bytes: 500_000 },
      ],
    },
    {
      type: 'plan',
      layers: [
        { layer: digest, bytesTotal: 1_000_000 },
        { layer: 'sha256:cd', bytesTotal: 500_000 },
      ],
      bytesTotal: 1_500_000,
      text: '2 layers to fetch, 1.50 MB',
    },
  ],
  [
    { kind: 'layer-started', digest, bytes: 1_000_000 },
    { type: 'layer-begin', layer: digest, bytesTotal: 1_000_000, text: `Pulling layer ${HEX}` },
  ],
  [
    { kind: 'layer-progress', digest, received: 250_000 },
    {
      type: 'layer-bytes',
      layer: digest,
      bytes: 250_000,
      bytesTotal: 1_000_000,
      text: `Layer ${HEX}: 250.00 KB of 1.00 MB`,
    },
  ],
  [
    { kind: 'layer-finished', digest },
    {
      type: 'layer-end',
      layer: digest,
      bytes: 1_000_000,
      bytesTotal: 1_000_000,
      text: `Layer ${HEX}: complete`,
    },
  ],
  [
    { kind: 'step', text: 'Writing image' },
    { type: 'step', text: 'Writing image' },
  ],
  [
    { kind: 'warning', text: 'odd\u001b[2J\n' },
    { type: 'warning', text: 'odd ' },
  ],
  [
    { kind: 'notice', text: 'etcd already present' },
    { type: 'notice', text: 'etcd already present' },
  ],
  [
    { kind: 'extracting', destination: '/d/etcd.0' },
    { type: 'extracting', destination: '/d/etcd.0', text: 'Extracting to /d/etcd.0' },
  ],
  [
    { kind: 'command', argv: ['systemctl', 'daemon-reload'] },
    { type: 'command', argv: ['systemctl', 'daemon-reload'], text: 'systemctl daemon-reload' },
  ],
  [
    { kind: 'waiting', object: 'etcd', holder: undefined },
    { type: 'waiting', object: 'etcd', holder: null, text: 'Waiting for etcd, held by another process' },
  ],
  [
    { kind: 'recovered', container: 'etcd', operation: 'install', outcome: 'undone' },
    {
      type: 'recovered',
      container: 'etcd',
      operation: 'install',
      outcome: 'undone',
      text: 'Recovered etcd: an interrupted install was undone',
    },
  ],
];

test('each event is a line of ASCII, between the first and the last', () => {
  const { lines, stream, wait } = open();
  for (const [event] of events) {
    wait(200);
    stream.report(event);
  }
  stream.end(0);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { type: 'start', version: 1, verb: 'pull', text: 'atomic pull' },
    ...events.map(([, line]) => line),
    { type: 'end', outcome: 'done', exitStatus: 0, error: null, text: 'done' },
  ]);
  expect(lines.filter((line) => !/^[ -~]+\n$/.test(line))).toEqual([]);
});

test('the end of a command that failed', () => {
  const { lines, stream } = open();
  const failure: Failure = {
    code: 'NO_SPACE',
    message: 'pulling etcd:\nit does not fit',
    hint: 'Free some space.',
    details: { bytesNeeded: 2, bytesAvailable: 1 },
    exitStatus: 1,
    isPermission: false,
    isBug: false,
    stack: undefined,
  };
  stream.end(failure.exitStatus, failure);
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
    type: 'end',
    outcome: 'failed',
    exitStatus: 1,
    error: {
      code: 'NO_SPACE',
      message: 'pulling etcd: it does not fit',
      hint: 'Free some space.',
      details: { bytesNeeded: 2, bytesAvailable: 1 },
    },
    text: 'pulling etcd: it does not fit',
  });
});

test('bytes are reported five times a second for each layer, with any other events', () => {
  const { lines, stream, wait } = open();
  const other = 'sha256:cd';
  for (const layer of [digest, other]) stream.report({ kind: 'layer-started', digest: layer, bytes: 1000 });
  for (let received = 1; received <= 1000; received++) {
    wait(1);
    for (const layer of [digest, other]) stream.report({ kind: 'layer-progress', digest: layer, received });
  }
  const told = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'layer-bytes');
  for (const layer of [digest, other]) {
    expect(told.filter((line) => line.layer === layer).map(({ bytes }) => bytes)).toEqual([
      200, 400, 600, 800, 1000,
    ]);
  }
});
