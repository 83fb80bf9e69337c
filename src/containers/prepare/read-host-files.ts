/**
 * Plans the files that an image puts on the host beside its unit: `/exports/hostfs`, after the renames and the checks
 * of the host.
 */
import { resolve } from 'node:path';
import { FolderMode } from '../../base/file-mode.ts';
import type { Host } from '../../host/host.ts';
import type { StoredImage } from '../../image/image.ts';
import { type WalkedEntry, walkImage } from '../../store/walk-image.ts';
import { hashFile, isAsRecorded, lookAtHostFile } from '../hostfiles/look-at-host-file.ts';
import type { ExportsManifest } from '../render/exports-manifest.ts';
import {
  type HostFilesRecord,
  listParents,
  noHostFiles,
  type PlannedHostFile,
  type PlannedHostFolder,
} from '../render/hostfiles/host-file.ts';
import {
  normalizeRenames,
  renameHostPath,
  requireDistinctPaths,
  requirePlainPath,
  substituteRenames,
} from '../render/hostfiles/rename-host-files.ts';
import { substituteTemplate, type TemplateValues } from '../render/values/template.ts';
import { requireAllowedPath, requireUnclaimedPaths, resolveHostPath } from './host-paths.ts';
import { HOST_FILES, listHostEntries, readHostTemplate } from './list-host-files.ts';

interface HostFilesSubject {
  readonly name: string;
  readonly image: StoredImage;
  readonly manifest: ExportsManifest;
  readonly values: TemplateValues;
  /** Path of the future root filesystem; only for messages. */
  readonly rootfs: string;
  /** The host files of the deployment that is updated. */
  readonly previous: HostFilesRecord;
  readonly keepsNew: boolean;
}

interface HostFilesPlan {
  readonly files: readonly PlannedHostFile[];
  readonly folders: readonly PlannedHostFolder[];
  readonly kept: readonly string[];
  readonly record: HostFilesRecord;
}

/**
 * Plans the host files. Changes nothing.
 *
 * @throws EXPORTS_INVALID for a path that an image must not write, and beyond the limits; FILE_CONFLICT for a path of
 *   another container and for a path through a symlink; TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE
 */
export async function planHostFiles(host: Host, subject: HostFilesSubject): Promise<HostFilesPlan> {
  const { name, image, manifest, values, previous } = subject;
  const renames = substituteRenames(manifest.renameFiles, values);
  const entries = [
    ...listHostEntries({ label: image.reference, walk: () => walkImage(host, image, HOST_FILES) }),
  ];
  const named = nameEntries(host, name, entries, normalizeRenames(renames));
  const templates = new Set(manifest.installedFilesTemplate);
  const wanted = named
    .filter(({ entry }) => entry.kind !== 'directory' || entry.isEmpty)
    .map((file) => planFile(file, templates, subject));
  requireDistinctPaths(wanted.map(({ path }) => path));
  await requireUnclaimedPaths(
    host,
    name,
    wanted.map(({ path }) => path),
  );
  const { files, kept } = await compareWithHost(wanted, subject);
  const folders = await listMissingFolders(files, named, previous);
  return { files, folders, kept, record: buildRecord(files, folders, manifest, renames) };
}

interface NamedEntry {
  readonly entry: WalkedEntry;
  /** After the renames. */
  readonly written: string;
  /** The path after symlinks of the host in its parents are followed. */
  readonly path: string;
}

function nameEntries(
  host: Host,
  name: string,
  entries: readonly WalkedEntry[],
  renames: ReadonlyMap<string, string>,
): readonly NamedEntry[] {
  return entries.map((entry) => {
    const written = renameHostPath(requirePlainPath(`/${entry.path}`), renames);
    const path = resolveHostPath(written);
    if (entry.kind === 'directory' && !entry.isEmpty) return { entry, written, path };
    requireAllowedPath(host, name, written);
    requireAllowedPath(host, name, path);
    return { entry, written, path };
  });
}

function planFile(
  { entry, written, path }: NamedEntry,
  templates: ReadonlySet<string>,
  { values, rootfs }: HostFilesSubject,
): PlannedHostFile {
  const { kind, mode, uid, gid, size, target, object } = entry;
  const owned = { path, kind, mode, uid, gid };
  if (kind !== 'file' || object === undefined) {
    return { ...owned, size, target, sha256: undefined, content: undefined };
  }
  if (!templates.has(written)) {
    return { ...owned, size, target, sha256: hashFile(object), content: { kind: 'object', object } };
  }
  const file = `${rootfs}/exports/hostfs${written}`;
  const text = substituteTemplate(readHostTemplate(object, size, file), values, file);
  return {
    ...{ ...owned, size: Buffer.byteLength(text), target },
    sha256: new Bun.CryptoHasher('sha256').update(text).digest('hex'),
    content: { kind: 'text', text },
  };
}

/** A file of the host stays. A file of the previous deployment that a person has changed stays recorded. */
async function compareWithHost(
  wanted: readonly PlannedHostFile[],
  { previous, keepsNew }: HostFilesSubject,
): Promise<{ readonly files: readonly PlannedHostFile[]; readonly kept: readonly string[] }> {
  const files: PlannedHostFile[] = [];
  const kept: string[] = [];
  for (const file of wanted) {
    const found = await lookAtHostFile(file.path);
    const isOurs = isAsRecorded(found, file.path, previous);
    if (found.kind === 'missing' || isOurs) {
      files.push(file);
      continue;
    }
    if (found.kind === 'directory' && file.kind === 'directory') continue;
    if (previous.paths.includes(file.path)) files.push(file);
    kept.push(file.path);
    if (!keepsNew || file.kind === 'directory') continue;
    const beside = { ...file, path: `${file.path}.atomic-new` };
    const there = await lookAtHostFile(beside.path);
    if (there.kind === 'missing' || isAsRecorded(there, beside.path, previous)) files.push(beside);
    else kept.push(beside.path);
  }
  return { files, kept };
}

/** Of the folders that an update finds, the deployment owns those that the previous deployment recorded as created. */
async function listMissingFolders(
  files: readonly PlannedHostFile[],
  named: readonly NamedEntry[],
  previous: HostFilesRecord,
): Promise<readonly PlannedHostFolder[]> {
  const known = new Map(
    named.filter(({ entry }) => entry.kind === 'directory').map(({ path, entry }) => [path, entry]),
  );
  const folders: PlannedHostFolder[] = [];
  for (const path of [...new Set(files.flatMap((file) => listParents(file.path)))].sort()) {
    const isMissing = (await lookAtHostFile(path)).kind === 'missing';
    if (!isMissing && !previous.folders.includes(path)) continue;
    const { mode, uid, gid } = known.get(path) ?? { mode: FolderMode.public, uid: 0, gid: 0 };
    folders.push({ path, mode, uid, gid });
  }
  return folders;
}

function buildRecord(
  files: readonly PlannedHostFile[],
  folders: readonly PlannedHostFolder[],
  manifest: ExportsManifest,
  renames: Readonly<Record<string, string>>,
): HostFilesRecord {
  if (files.length === 0) {
    return {
      ...noHostFiles,
      templates: manifest.installedFilesTemplate,
      renames,
      useLinks: manifest.useLinks,
    };
  }
  const hashes = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return {
    paths: files.map(({ path }) => path),
    checksums: Object.fromEntries(files.map((file) => [file.path, findChecksum(file, hashes)])),
    templates: manifest.installedFilesTemplate,
    renames,
    useLinks: manifest.useLinks,
    links: Object.fromEntries(
      files.flatMap(({ path, target }) => (target === undefined ? [] : [[path, target] as const])),
    ),
    folders: folders.map(({ path }) => path),
  };
}

/** The original follows a symlink before it compares. */
function findChecksum(
  { path, sha256, target }: PlannedHostFile,
  hashes: ReadonlyMap<string, string | undefined>,
): string {
  if (target === undefined) return sha256 ?? '0';
  return hashes.get(resolve(path, '..', target)) ?? '0';
}
