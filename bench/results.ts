/** The raw numbers: `bench/results/RELEASE.json`, kept in git so that a change can be compared with what was. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Comparison } from './comparison.ts';
import type { Machine } from './machine.ts';

export interface LineResult {
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
  /** Load of the machine over the minute before: high means that something else was running. */
  readonly loadBefore: number;
  /** The share of its processors that other programs took in the second before, from 0 to 1. */
  readonly busyBefore?: number;
  /** What was measured. */
  readonly commit?: string;
  readonly comparisons: readonly Comparison[];
}

export interface Results {
  readonly schemaVersion: 1;
  readonly machine: Machine;
  readonly lines: readonly LineResult[];
}

/** One file for each release of Debian. */
function nameFile(release: string): string {
  return fileURLToPath(new URL(`results/${release}.json`, import.meta.url));
}

/**
 * Writes the results, and keeps the earlier ones of lines that were not measured now: only when they are of a machine
 * with the same description, because numbers of two machines say nothing side by side.
 *
 * @param order names of all lines
 * @returns what is in the file now
 */
export function writeResults(
  release: string,
  machine: Machine,
  measured: readonly LineResult[],
  order: readonly string[],
): Results {
  const file = nameFile(release);
  const earlier = findResults(file);
  const kept = earlier !== undefined && isDeepStrictEqual(earlier.machine, machine) ? earlier.lines : [];
  const lines = order.flatMap(
    (name) => measured.find((line) => line.name === name) ?? kept.find((line) => line.name === name) ?? [],
  );
  const results: Results = { schemaVersion: 1, machine, lines };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${formatResults(results)}\n`);
  return results;
}

function findResults(file: string): Results | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : undefined;
}

/** JSON with a line for each run, so that a diff shows which runs are other ones. */
function formatResults(value: unknown, margin = ''): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(roundNumbers('', value));
  const members = Object.entries(value);
  if (!members.some(([, member]) => typeof member === 'object')) return JSON.stringify(value, roundNumbers);
  const inner = `${margin}  `;
  const isList = Array.isArray(value);
  const lines = members.map(
    ([key, member]) => `${inner}${isList ? '' : `${JSON.stringify(key)}: `}${formatResults(member, inner)}`,
  );
  return `${isList ? '[' : '{'}\n${lines.join(',\n')}\n${margin}${isList ? ']' : '}'}`;
}

/** Microseconds are enough. */
function roundNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
