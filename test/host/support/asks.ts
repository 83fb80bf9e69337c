/** The lines that `install` adds on standard error: what a container asks of the host, and the next command. */
import { expect } from 'bun:test';

/** Matches standard error without anything else. */
export const onlyAsks: string = expect.stringMatching(
  /^(?:Asks: .*\n)*(?:Start the service: atomic start .*\n)?$/,
);

/** Standard error without those lines. */
export function withoutAsks(stderr: string): string {
  return stderr.replace(/^(?:Asks|Start the service): .*\n/gm, '');
}
