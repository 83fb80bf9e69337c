/**
 * Records the image with which the service was not up after an update. `update --all` skips the image until its name
 * refers to another one.
 *
 * ```
 * STATE/refused/NAME.json     of one container; the next failed update replaces it, and an uninstall removes it
 * ```
 *
 * Without the file, an update tries the image once more.
 */
import { FileMode } from '../base/file-mode.ts';
import { isJsonObject, tryParseJson } from '../base/json-text.ts';
import { ensureDirectory, removeFile, writeFileDurably } from '../host/files/durable-files.ts';
import { findText } from '../host/files/find-file.ts';
import type { Host } from '../host/host.ts';
import type { Locations } from '../host/locations.ts';

export interface RefusedImage {
  /** Id of the image, hex. */
  readonly id: string;
  readonly reason: string;
  /** UTC in ISO 8601. */
  readonly time: string;
  /** The last lines of the service's log. */
  readonly log: readonly string[];
}

/** @returns the record about this image, or about any image when `id` is left out */
export async function findRefused(
  host: Host,
  container: string,
  id?: string,
): Promise<RefusedImage | undefined> {
  const path = buildPath(host.locations, container);
  const text = await findText(path);
  const refused = text === undefined ? undefined : parseRefused(text);
  return refused !== undefined && (id === undefined || refused.id === id) ? refused : undefined;
}

export async function rememberRefused(host: Host, container: string, refused: RefusedImage): Promise<void> {
  await ensureDirectory(`${host.locations.state}/refused`);
  const text = `${JSON.stringify({ version: 1, ...refused }, undefined, 2)}\n`;
  await writeFileDurably(buildPath(host.locations, container), text, FileMode.private);
}

/** Removes the record: the container is removed, or runs another image. */
export async function forgetRefused(host: Host, container: string): Promise<void> {
  await removeFile(buildPath(host.locations, container));
}

/** @returns `undefined` for a record of another version */
function parseRefused(text: string): RefusedImage | undefined {
  const value = tryParseJson(text);
  if (!isJsonObject(value) || value.version !== 1) return undefined;
  const { id, reason, time, log } = value;
  if (typeof id !== 'string' || typeof reason !== 'string' || typeof time !== 'string') return undefined;
  return { id, reason, time, log: Array.isArray(log) ? log.map(String) : [] };
}

function buildPath(locations: Locations, container: string): string {
  return `${locations.state}/refused/${container}.json`;
}
