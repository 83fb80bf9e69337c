import { constants } from 'node:os';
import { AtomicError } from '../base/errors.ts';
import type { Host } from './host.ts';
import { throwIfInterrupted } from './interruption.ts';
import { buildStartError } from './run-program.ts';
import { spawnChild } from './spawn-child.ts';

/** A reader that has read enough, such as `head`, has closed the pipe: not a failure. */
const readerIsGone = 'SIGPIPE';

/**
 * Runs a program that writes to the standard output and standard error of this one, such as `journalctl --follow`. After a
 * signal to this program, the child is ended.
 *
 * @returns its exit status; 128+N when signal N ended it, or ended this program
 * @throws TOOL_MISSING
 */
export async function runAttached(host: Host, argv: readonly string[]): Promise<number> {
  throwIfInterrupted(host);
  const child = spawnChild(argv, { env: host.env, stdio: ['ignore', 'inherit', 'inherit'] });
  const startedAt = performance.now();
  const terminate = (): void => void child.kill('SIGTERM');
  host.signal.addEventListener('abort', terminate, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', (error) => reject(buildStartError(error, argv)));
      child.on('close', (code, signal) => {
        const milliseconds = performance.now() - startedAt;
        host.trace({ argv, milliseconds, exitCode: code ?? undefined, signal: signal ?? undefined });
        const { reason } = host.signal;
        if (reason instanceof AtomicError) resolve(reason.exitStatus);
        else if (signal === null) resolve(code ?? 0);
        else resolve(signal === readerIsGone ? 0 : 128 + constants.signals[signal]);
      });
    });
  } finally {
    host.signal.removeEventListener('abort', terminate);
  }
}
