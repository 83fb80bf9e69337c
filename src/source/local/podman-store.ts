/** Checks that podman has a store. Opening a missing store would create it, with a mount that stays. */
import { existsSync, readFileSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, noPath } from '../../base/file-error.ts';
import { isJsonObject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';

const DEFAULT_FOLDER = '/var/lib/containers/storage';
/** Files with the settings, of which the first existing one counts; see containers-storage.conf(5). */
const FILES = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];

/**
 * Checks only root's store: podman chooses the folders of other users by rules of its own.
 *
 * @throws AtomicError IMAGE_NOT_FOUND
 */
export function requirePodmanStore(host: Host): void {
  if (host.uid !== 0) return;
  const folders = listStoreFolders(readSettings(host));
  // Only podman can expand the variables in a path.
  if (folders.some((folder) => folder.includes('$') || existsSync(folder))) return;
  throw new AtomicError(
    'IMAGE_NOT_FOUND',
    `reading the store of podman: there is no folder ${toPrintable(folders[0] ?? '')}`,
    {
      hint: 'podman has no images on this machine, or keeps them in another folder than "graphroot" of /etc/containers/storage.conf.',
    },
  );
}

function listStoreFolders({ graphroot, options }: Readonly<Record<string, unknown>>): string[] {
  const own = typeof graphroot === 'string' && graphroot !== '' ? graphroot : DEFAULT_FOLDER;
  const others = isJsonObject(options) ? options.additionalimagestores : undefined;
  const names: unknown[] = Array.isArray(others) ? others : [];
  return [own, ...names.filter((name) => typeof name === 'string')];
}

/** Reads the table `storage`. @returns an empty table when the file cannot be read; skopeo reports the fault */
function readSettings(host: Host): Readonly<Record<string, unknown>> {
  const chosen = host.env.CONTAINERS_STORAGE_CONF;
  for (const path of chosen === undefined || chosen === '' ? FILES : [chosen]) {
    try {
      const { storage } = Bun.TOML.parse(readFileSync(path, 'utf8')) as { storage?: unknown };
      return isJsonObject(storage) ? storage : {};
    } catch (error) {
      if (!isErrno(error, ...noPath)) return {};
    }
  }
  return {};
}
