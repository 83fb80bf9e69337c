/** Runs the half of a line that needs systemd, in a disposable host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import type { Environment } from './engines.ts';
import type { Sample } from './measure.ts';

/** The request for the half inside the host; the folder is the same there. */
export interface InsideRequest {
  readonly pairs: number;
  readonly folder: string;
  readonly env: Environment;
  /** The reference of an image that is in the store `FOLDER/STORE`. */
  readonly image: string;
  readonly store: string;
}

export type InsideName = 'install' | 'containers-list';
export type InsideSamples = Readonly<Record<string, Sample[]>>;

const HOST = fileURLToPath(new URL('../scripts/host', import.meta.url));
const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));
/** The time limit for a run that hangs; no run is expected to come near it. */
const LIMIT_SECONDS = 1_200;

/** @throws Error when the host or the half inside fails; it has said why on standard error */
export async function runInHost(
  bench: Bench,
  name: InsideName,
  subject: { readonly image: string; readonly store: string },
): Promise<InsideSamples> {
  const { path: folder } = bench.folder;
  const request: InsideRequest = { pairs: bench.pairs, folder, env: bench.env, ...subject };
  const [requestFile, answerFile] = [bench.folder.join('request.json'), bench.folder.join('answer.json')];
  await writeFile(requestFile, JSON.stringify(request));
  const host = spawn(
    HOST,
    [
      ...['--bind', `${folder}:${folder}`, '--timeout', String(LIMIT_SECONDS), '--'],
      ...[process.execPath, INSIDE, name, requestFile, answerFile],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const stop = (): boolean => host.kill();
  bench.signal.addEventListener('abort', stop);
  const [status] = await once(host, 'exit');
  bench.signal.removeEventListener('abort', stop);
  if (status !== 0) throw new Error(`${name} in a host ended with ${status}`);
  return JSON.parse(await readFile(answerFile, 'utf8')) as InsideSamples;
}
