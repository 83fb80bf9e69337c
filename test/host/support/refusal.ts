/** Commands that must fail and must change nothing. */
import { expect } from 'bun:test';
import { diffSnapshots, type TreeSnapshot, takeSnapshot } from '../../support/tree-snapshot.ts';
import { runCommand } from './commands.ts';

export const checkouts = '/var/lib/containers/atomic';

/** A line, or a pattern for one that has words of another program. */
export type Line = string | RegExp;

export interface Refusal {
  /** Default 1. */
  readonly status?: number;
  /** Default: nothing. */
  readonly stdout?: readonly Line[];
  readonly stderr: readonly Line[];
}

/** Runs a command, compares all that it prints, and the containers, refs, units and tmpfiles.d files before and after. */
export async function expectRefusal(argv: readonly string[], refusal: Refusal): Promise<void> {
  const before = takeState();
  const { stdout, stderr, status } = await runCommand(argv);
  expect({ stdout: stdout.split('\n'), stderr: stderr.split('\n'), status }).toEqual({
    stdout: expectLines(refusal.stdout ?? []),
    stderr: expectLines(refusal.stderr),
    status: refusal.status ?? 1,
  });
  expect(diffSnapshots(before, takeState())).toEqual([]);
}

/** The same for a command in a mount namespace of its own, in which `script` runs first. */
export function inOwnMounts(script: string, argv: readonly string[]): readonly string[] {
  return ['unshare', '--mount', 'sh', '-ec', `${script}\nexec "$@"`, 'sh', ...argv];
}

function expectLines(lines: readonly Line[]): string[] {
  const expected = lines.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line)));
  return [...expected, ''];
}

/** Objects of the store are not part of it: libostree keeps those of a failed pull for the next one of this boot. */
function takeState(): TreeSnapshot {
  const exclude = ['objects', 'tmp'].map((name) => `${checkouts}/.storage/ostree/${name}`);
  const folders = [checkouts, '/etc/systemd/system', '/etc/tmpfiles.d', '/run/atomic-test'];
  return new Map(folders.flatMap((folder) => [...takeSnapshot(folder, { exclude, xattrs: false })]));
}
