import { expect, test } from 'bun:test';
import { parseZone } from '../../../src/host/local-zone.ts';

interface Input {
  /** When the zone changes, in seconds, and to which of the offsets. */
  readonly changes: readonly (readonly [time: number, type: number])[];
  /** Minutes. */
  readonly offsets: readonly number[];
  readonly rule: string;
}

/** A file as zic(8) writes it: an empty block for old readers, the real one, and the rule. */
function buildFile({ changes, offsets, rule }: Input): Buffer {
  const header = (times: number, types: number): Buffer => {
    const bytes = Buffer.alloc(44);
    bytes.write('TZif2');
    for (const [index, count] of [0, 0, 0, times, types, 4].entries())
      bytes.writeUInt32BE(count, 20 + index * 4);
    return bytes;
  };
  const types = Buffer.alloc(offsets.length * 6);
  for (const [index, offset] of offsets.entries()) types.writeInt32BE(offset * 60, index * 6);
  const times = Buffer.alloc(changes.length * 8);
  for (const [index, [time]] of changes.entries()) times.writeBigInt64BE(BigInt(time), index * 8);
  const old = Buffer.concat([header(0, 1), Buffer.alloc(6 + 4)]);
  return Buffer.concat([
    old,
    header(changes.length, offsets.length),
    times,
    Buffer.from(changes.map(([, type]) => type)),
    types,
    Buffer.alloc(4),
    Buffer.from(`\n${rule}\n`),
  ]);
}

const at = (seconds: number): Date => new Date(seconds * 1000);
const summer: Input = {
  changes: [
    [1000, 1],
    [2000, 0],
    [3000, 1],
  ],
  offsets: [60, 120],
  rule: 'CET-1CEST,M3.5.0,M10.5.0/3',
};

test('between two changes the offset is that of the earlier one', () => {
  const find = parseZone(buildFile(summer));
  expect([1000, 1999.999, 2000, 2999].map((time) => find(at(time)))).toEqual([120, 120, 60, 60]);
});

test('before the first change, and where a rule of summer time counts, the runtime knows', () => {
  const find = parseZone(buildFile(summer));
  expect([999, 3000, 1e9].map((time) => find(at(time)))).toEqual([undefined, undefined, undefined]);
});

test('after the last change of a zone without summer time its offset stays', () => {
  const find = parseZone(buildFile({ ...summer, offsets: [60, -210], rule: '<-0330>3:30' }));
  expect([3000, 1e10].map((time) => find(at(time)))).toEqual([-210, -210]);
});

test('a zone without changes has one offset, such as UTC', () => {
  const find = parseZone(buildFile({ changes: [], offsets: [0], rule: 'UTC0' }));
  expect([0, 1e9].map((time) => find(at(time)))).toEqual([0, 0]);
});

test('of damaged files the runtime is asked', () => {
  const whole = buildFile(summer);
  const damaged = [Buffer.alloc(0), Buffer.from('text'), whole.subarray(0, 44), whole.subarray(0, 110)];
  for (const file of damaged) expect(parseZone(file)(at(1500))).toBeUndefined();
});
