/**
 * One run of some lines in a disposable host (`scripts/host`), so that both releases of Debian are measured in the same
 * way, and no line changes the machine. This half starts the host; `inside.ts` runs in it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Folder } from './filesystem.ts';
import type { Machine } from './machine.ts';
import type { LineResult } from './results.ts';

/** What the half inside gets; the folder is the same real one there. */
export interface SessionRequest {
  readonly pairs: number;
  readonly folder: string;
  readonly lines: readonly string[];
}

/** What is in the answer after each line, so that a failure costs only the lines behind it. */
export interface SessionAnswer {
  readonly machine: Machine;
  readonly lines: readonly LineResult[];
}

const HOST = fileURLToPath(new URL('../scripts/host', import.meta.url));
const INSIDE = fileURLToPath(new URL('inside.ts', import.meta.url));
/** Ends what hangs; no session is expected to come near it. */
const LIMIT_SECONDS = 3_600;

/**
 * Runs the lines in a fresh host.
 *
 * @param release of the host
 * @param signal ends the host
 * @returns what was measured, and whether a line failed; it has said why on standard error
 */
export async function runSession(
  folder: Folder,
  release: string,
  { pairs, lines }: Omit<SessionRequest, 'folder'>,
  signal: AbortSignal,
): Promise<SessionAnswer & { readonly failed: boolean }> {
  signal.throwIfAborted();
  const request: SessionRequest = { pairs, lines, folder: folder.path };
  const [requestFile, answerFile] = [folder.join('request.json'), folder.join('answer.json')];
  writeFileSync(requestFile, JSON.stringify(request));
  // podman and skopeo keep what they fetch there for a moment.
  const temporary = folder.join('tmp');
  mkdirSync(temporary, { recursive: true });
  chmodSync(temporary, 0o1777);
  const host = spawn(
    HOST,
    [
      ...['--release', release, '--timeout', String(LIMIT_SECONDS)],
      ...['--bind', `${folder.path}:${folder.path}`, '--bind', `${temporary}:/var/tmp`, '--'],
      ...[process.execPath, INSIDE, requestFile, answerFile],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const stop = (): boolean => host.kill();
  signal.addEventListener('abort', stop);
  const [status] = await once(host, 'exit');
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (!existsSync(answerFile)) throw new Error(`the host ended with ${status}, and measured nothing`);
  return { ...(JSON.parse(readFileSync(answerFile, 'utf8')) as SessionAnswer), failed: status !== 0 };
}
