/**
 * The time zone of the machine, from `/etc/localtime` (tzfile(5)). The first question to the runtime about local time
 * takes as long as the start of the program, because it loads the data of all zones.
 */
import { readFileSync } from 'node:fs';
import { findErrno } from '../base/file-error.ts';
import { runtimeZone, type Zone } from '../base/zone.ts';
import type { Environment } from './host.ts';

const localtimePath = '/etc/localtime';
const headerBytes = 44;
const [minutes, seconds] = [60, 1000];

/** Reads the zone of the process: `TZ` where it is set, else that of the machine. */
export function readLocalZone(env: Environment): Zone {
  if (env.TZ !== undefined) return env.TZ === 'UTC' ? () => 0 : runtimeZone;
  const find = parseZone(readLocaltime());
  return (time) => find(time) ?? runtimeZone(time);
}

function readLocaltime(): Buffer {
  try {
    return readFileSync(localtimePath);
  } catch (error) {
    // Without the file the runtime has a rule of its own.
    if (findErrno(error) === undefined) throw error;
    return Buffer.alloc(0);
  }
}

/**
 * Parses the second block of the file, which has times of 64 bits.
 *
 * @returns finds the minutes east of Greenwich; `undefined` for a time that only the rule at the end of the file covers,
 *   before the first change of the zone, and for a file that is none
 */
export function parseZone(file: Buffer): (time: Date) => number | undefined {
  const first = readHeader(file, 0);
  const second = first === undefined ? undefined : readHeader(file, first.end(4));
  if (second === undefined || second.end(8) > file.length) return () => undefined;
  const { times, types, start } = second;
  const readOffset = (type: number): number =>
    file.readInt32BE(start + times * 9 + Math.min(type, types - 1) * 6) / minutes;
  const readTime = (index: number): number => Number(file.readBigInt64BE(start + index * 8));
  // A rule with a comma has summer time.
  const isFixed = !file.toString('latin1', second.end(8)).includes(',');
  return (time) => {
    const wanted = time.getTime() / seconds;
    if (types === 0) return undefined;
    if (times === 0) return isFixed ? readOffset(0) : undefined;
    if (!isFixed && wanted >= readTime(times - 1)) return undefined;
    let index = times - 1;
    while (index >= 0 && readTime(index) > wanted) index -= 1;
    return index < 0 ? undefined : readOffset(file.readUInt8(start + times * 8 + index));
  };
}

interface Block {
  readonly times: number;
  readonly types: number;
  /** Offset of the times. */
  readonly start: number;
  /** Offset after the block. @param size bytes of a time */
  end(size: number): number;
}

/** @returns `undefined` when no block starts there, or one of version 1, which has only times of 32 bits */
function readHeader(file: Buffer, offset: number): Block | undefined {
  const start = offset + headerBytes;
  if (file.length < start || file.toString('latin1', offset, offset + 4) !== 'TZif') return undefined;
  if (file.readUInt8(offset + 4) < '2'.charCodeAt(0)) return undefined;
  const [ut = 0, standard = 0, leaps = 0, times = 0, types = 0, characters = 0] = [0, 1, 2, 3, 4, 5].map(
    (index) => file.readUInt32BE(offset + 20 + index * 4),
  );
  const end = (size: number): number =>
    start + times * (size + 1) + types * 6 + characters + leaps * (size + 4) + standard + ut;
  return { times, types, start, end };
}
