/** Finds the processes that use a path, from `/proc` (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';
import { listProcesses, readProcess } from './processes.ts';

/** A process that uses files below a path. */
interface PathUser {
  readonly pid: number;
  /** Name of its program, at most 15 bytes. */
  readonly command: string;
}

/**
 * Lists the processes whose current or root folder, program, open files or mapped files are at or below a path.
 *
 * @throws INTERRUPTED
 */
export async function listPathUsers(host: Host, path: string): Promise<readonly PathUser[]> {
  const users: PathUser[] = [];
  for (const pid of listProcesses()) {
    // The runtime delivers signals only between turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    throwIfInterrupted(host);
    const user = readProcess(() => (usesPath(pid, path) ? { pid, command: readCommand(pid) } : undefined));
    if (user !== undefined) users.push(user);
  }
  return users;
}

function usesPath(pid: number, path: string): boolean {
  const isBelow = (used: string | undefined): boolean =>
    used !== undefined && (used === path || used.startsWith(`${path}/`));
  const readLink = (name: string): string | undefined =>
    readProcess(() => readlinkSync(`/proc/${pid}/${name}`));
  const files = readProcess(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  if (['cwd', 'root', 'exe', ...files.map((fd) => `fd/${fd}`)].some((name) => isBelow(readLink(name))))
    return true;
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .some((line) => isBelow(line.slice(line.indexOf('/'))));
}

function readCommand(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
}
