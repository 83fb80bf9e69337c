/** Pulls in a process of its own: beside another one, or where the machine looks different. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '../../../src/base/errors.ts';
import type { Sandbox } from '../sandbox.ts';

export type PullOutcome =
  | { readonly kind: 'pulled'; readonly commit: string }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    };

const PROGRAM = fileURLToPath(new URL('./pull-process.ts', import.meta.url));
const TIMEOUT_MS = 60_000;

export interface PullProcessOptions {
  /** A command that runs the rest of its arguments, such as `unshare --mount`. */
  readonly wrapper?: readonly string[];
  /** Ends the process with SIGKILL. */
  readonly killSignal?: AbortSignal;
}

/** @throws Error with what the process printed when it ends in another way than by a pull or an `AtomicError` */
export async function pullInProcess(
  store: Sandbox,
  name: string,
  { wrapper = [], killSignal }: PullProcessOptions = {},
): Promise<PullOutcome> {
  const argv = [...wrapper, process.execPath, PROGRAM, JSON.stringify(store.host), name];
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  killSignal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (status !== 0) throw new Error(`pulling ${name}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as PullOutcome;
}
