/** Resolves the path of a host file on this host, and checks that a container may have it. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { buildContainerPaths } from '../deployment.ts';
import { resolveRecord } from '../hostfiles/recorded-paths.ts';
import { listDeployments } from '../list-deployments.ts';
import { findRefusal, isLayoutLink } from '../render/hostfiles/host-path-rules.ts';

/**
 * Follows symlinks of the usual layouts of hosts in the parents of a path, such as `/lib`.
 *
 * @returns the path without symlinks in its parents
 * @throws FILE_CONFLICT when a parent is another symlink, or not a folder
 */
export function resolveHostPath(path: string): string {
  let at = '';
  const parts = path.split('/').slice(1);
  for (const part of parts.slice(0, -1)) {
    at = `${at}/${part}`;
    const status = lstatSync(at, { throwIfNoEntry: false });
    if (status === undefined || status.isDirectory()) continue;
    const target = status.isSymbolicLink() ? resolve(dirname(at), readlinkSync(at)) : undefined;
    if (target === undefined) throw buildBlocked(path, `${at} is not a folder`);
    if (!isLayoutLink(at, target)) throw buildBlocked(path, `${at} is a symlink to ${target}`);
    at = target;
  }
  return `${at}/${parts.at(-1)}`;
}

/** @throws EXPORTS_INVALID for a path that an image must not write */
export function requireAllowedPath(host: Host, name: string, path: string): void {
  const { repository, checkouts, state, patches } = host.locations;
  const { units, tmpfiles } = buildContainerPaths(host.locations, name);
  // A patch counts as a change by the person, which needs no consent.
  const own = [repository, checkouts, state, patches, ...units.map((unit) => unit.path), tmpfiles];
  const refusal = findRefusal(path, own);
  if (refusal === undefined) return;
  throw new AtomicError(
    'EXPORTS_INVALID',
    `Cannot install ${name}: its image puts a file at ${toPrintable(path)}, ${refusal}`,
    {
      hint: 'Build the image without it in /exports/hostfs, and check renameFiles and the --set values.',
      details: { path: toPrintable(path) },
    },
  );
}

/**
 * Checks that no deployment of another container has one of these paths.
 *
 * @throws FILE_CONFLICT, which names both containers
 */
export async function requireUnclaimedPaths(
  host: Host,
  name: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return;
  const wanted = new Set(paths);
  for (const other of await listDeployments(host)) {
    if (other.name === name) continue;
    const { record } = await resolveRecord(other.record.hostFiles);
    const path = record.paths.find((claimed) => wanted.has(claimed));
    if (path === undefined) continue;
    throw new AtomicError(
      'FILE_CONFLICT',
      `Cannot install ${name}: ${toPrintable(path)} is a file of the container ${other.name}`,
      {
        hint: `Uninstall ${other.name} first, or give the file another name with --set if the image has a variable for it.`,
        details: { path, container: other.name },
      },
    );
  }
}

function buildBlocked(path: string, reason: string): AtomicError {
  return new AtomicError(
    'FILE_CONFLICT',
    `Cannot put ${toPrintable(path)} on the host: ${toPrintable(reason)}`,
    {
      hint: 'A symlink could lead the file elsewhere: make it a folder, or give the file another path.',
      details: { path: toPrintable(path) },
    },
  );
}
