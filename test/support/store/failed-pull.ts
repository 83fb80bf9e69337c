/** A pull that must fail, and the proof that it changed nothing. */
import { expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { AtomicError, type ErrorCode } from '../../../src/base/errors.ts';
import type { SourceOptions } from '../../../src/image/image.ts';
import { REF_FOLDER } from '../../../src/image/ref-name.ts';
import { listImages } from '../../../src/store/list-images.ts';
import { pullImage } from '../../../src/store/pull/pull.ts';
import type { Sandbox } from '../sandbox.ts';

export interface PullFailure {
  readonly code: ErrorCode;
  /** Without the leading `pulling NAME: `, which every message has. */
  readonly message: string;
  readonly hint: string;
}

/**
 * Pulls and returns the failure, after checking that it is one line for a person with a hint, that images are the same
 * as before and refs, too, except those of layers that were complete when something else than the image failed, and
 * that neither a file of ours nor a skopeo is left behind. What may succeed in a moment is not tried again, unless the
 * options say so.
 */
export async function failedPull(
  store: Sandbox,
  name: string,
  options: SourceOptions = {},
): Promise<PullFailure> {
  const refs = readRefs(store);
  const images = await listImages(store.host);
  const error = await pullImage(store.host, name, { retryPauses: [], ...options }).then(
    () => new Error(`the pull of ${name} succeeded`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AtomicError)) throw error;
  const added = readRefs(store).filter((ref) => !refs.includes(ref));
  expect(readRefs(store).filter((ref) => !added.includes(ref))).toEqual(refs);
  expect(added.filter((ref) => error.category === 'image' || !LAYER_REF.test(ref))).toEqual([]);
  expect(await listImages(store.host)).toEqual(images);
  expect(listLeftovers(store)).toEqual([]);
  expect(listChildren('skopeo')).toEqual([]);
  const { code, message, hint = '' } = error;
  expect(hint).not.toBe('');
  const prefix = `pulling ${name}: `;
  expect(message.startsWith(prefix)).toBe(true);
  expect(/\p{Cc}/u.test(message)).toBe(false);
  return { code, message: message.slice(prefix.length), hint };
}

/** Paths and contents of the refs; that a repository was made is no change. */
function readRefs(store: Sandbox): string[] {
  const heads = `${store.locations.repository}/refs/heads/${REF_FOLDER}`;
  if (!existsSync(heads)) return [];
  return readdirSync(heads)
    .map((name) => `${name} ${readFileSync(`${heads}/${name}`, 'utf8')}`)
    .sort();
}

const LAYER_REF = /^[0-9a-f]{64} /;

/** What libostree keeps in `tmp`, its cache and what the next transaction uses again, and the ledger of layers. */
const KEPT = /^(?:cache|staging-[^/]*|atomic-layers|atomic-waiting)$/;

/** Unexpected files in `tmp`; commits of layers in the ledger wait there. */
export function listLeftovers(store: Sandbox): string[] {
  const tmp = `${store.locations.repository}/tmp`;
  const names = existsSync(tmp) ? readdirSync(tmp).filter((name) => !KEPT.test(name)) : [];
  const recorded = listRecordedLayers(store).map((hex) =>
    readFileSync(`${tmp}/atomic-layers/${hex}`, 'utf8'),
  );
  const waiting = listWaiting(store).filter(
    (path) => !recorded.some((commit) => path.includes(`/${commit}.`)),
  );
  return [...names, ...waiting];
}

/** Paths of commits and refs that wait for the end of a transaction. */
export function listWaiting(store: Sandbox): string[] {
  const folder = `${store.locations.repository}/tmp/atomic-waiting`;
  return existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [];
}

/** Hex digests of the layers that are complete and have no ref yet. */
export function listRecordedLayers(store: Sandbox): string[] {
  const ledger = `${store.locations.repository}/tmp/atomic-layers`;
  return existsSync(ledger) ? readdirSync(ledger).sort() : [];
}

/** Process ids of living children of this process that run a program. */
export function listChildren(program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const [, command, state, parent] = /^\d+ \((.*)\) (\S) (\d+) /s.exec(readStat(pid)) ?? [];
      return command === program && state !== 'Z' && Number(parent) === process.pid;
    });
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
