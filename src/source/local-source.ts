/** Opens images that are on this machine: files, folders, and the stores of Docker and podman. */
import { createReadStream, createWriteStream } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AtomicError } from '../base/errors.ts';
import { withFileErrors } from '../base/file-error.ts';
import { unlinkIfThere } from '../host/files/unlink-file.ts';
import type { Host } from '../host/host.ts';
import { throwIfInterrupted } from '../host/interruption.ts';
import type { SourceOptions } from '../image/image.ts';
import { formatLocation, type ImageLocation } from '../image/image-location.ts';
import { formatRequest, type ImageReference, replaceRepository } from '../image/reference.ts';
import { requireDescribed } from './check-descriptor.ts';
import { readTrustPolicy } from './configuration.ts';
import { toInflateError } from './failures/file-failure.ts';
import { type ImageSource, openThroughProxy, type Scratch } from './image-source.ts';
import { findEngine } from './local/docker-engine.ts';
import { requirePodmanStore } from './local/podman-store.ts';
import { openPrivateCopy, type PrivateCopyOptions, requireRoomForCopy } from './private-copy.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';
import { judgeTransport } from './trust/trust-policy.ts';

type LocalLocation = Exclude<ImageLocation, { kind: 'registry' }>;
type StoreLocation = Extract<ImageLocation, { kind: 'store' }>;
type FileLocation = Exclude<LocalLocation, StoreLocation>;

/**
 * @param scratch folder for files that skopeo must copy, expand or unpack
 * @throws AtomicError ARCHIVE_INVALID, POLICY_REJECTED, IMAGE_NOT_FOUND, ENGINE_UNREACHABLE, MANIFEST_INVALID, MANIFEST_UNSUPPORTED,
 * NO_SPACE, SETTINGS_INVALID, TOOL_MISSING
 */
export async function openLocalImage(
  host: Host,
  location: LocalLocation,
  scratch: Scratch,
  { platform }: SourceOptions,
): Promise<ImageSource> {
  const transport = location.kind === 'store' ? location.transport : location.kind;
  const verdict = judgeTransport(readTrustPolicy(host), transport);
  const options: SkopeoOptions = platform === undefined ? {} : { platform };
  const copyOptions = { ...options, signatures: verdict === 'verify' ? 'verified' : 'unchecked' } as const;
  if (location.kind === 'store') return openStoreImage(host, location, scratch, copyOptions);
  const folder = await scratch.open();
  const source = await formatFileSource(host, location, folder);
  const fileOptions = { ...options, temporaryFolder: folder };
  if (verdict === 'verify') await requireRoomForCopy(host, source, scratch, fileOptions);
  const opened =
    verdict === 'verify'
      ? await openPrivateCopy(host, source, folder, copyOptions)
      : await openThroughProxy(host, source, fileOptions);
  if ('described' in location && location.described !== undefined) {
    await requireDescribed(host, opened, location.described, fileOptions);
  }
  return { ...opened, location: formatLocation(location) };
}

/**
 * Copies an image of an engine's store into the scratch folder. Docker exports the whole image each time that it is opened,
 * and once more for the raw manifest; podman's store does not find layers by the digests of its manifest.
 */
async function openStoreImage(
  host: Host,
  location: StoreLocation,
  scratch: Scratch,
  options: PrivateCopyOptions,
): Promise<ImageSource> {
  if (location.transport === 'containers-storage') requirePodmanStore(host);
  const folder = await scratch.open();
  const engine = location.transport === 'docker-daemon' ? findEngine(host) : {};
  const candidates = listStoreNames(location).map(formatRequest);
  for (const [index, name] of candidates.entries()) {
    try {
      const source = `${location.transport}:${name}`;
      return await openPrivateCopy(host, source, folder, { ...options, ...engine });
    } catch (error) {
      const isLast = index === candidates.length - 1;
      if (isLast || !(error instanceof AtomicError) || error.code !== 'IMAGE_NOT_FOUND') throw error;
    }
  }
  throw new Error('a name without candidates');
}

/** podman names images that were built on this machine `localhost/NAME`, and tries that first for a short name. */
function listStoreNames({ transport, reference }: StoreLocation): readonly ImageReference[] {
  const { repository, registry } = reference;
  if (transport === 'docker-daemon' || registry !== undefined) return [reference];
  return [replaceRepository(reference, `localhost/${repository}`), reference];
}

/**
 * Makes the source for skopeo. skopeo ends a path at its first colon, and skopeo 1.9 cannot read an archive with gzip, so
 * the source may name a file in `folder`.
 */
async function formatFileSource(host: Host, location: FileLocation, folder: string): Promise<string> {
  if (location.kind === 'dir') return formatLocation(location);
  if (location.kind !== 'docker-archive') {
    return formatLocation({ ...location, path: await hideColon(location.path, folder) });
  }
  const { path, isCompressed, index, linked } = location;
  if (linked === undefined && !isCompressed) {
    return `docker-archive:${await hideColon(path, folder)}:@${index}`;
  }
  const expanded = `${folder}/expanded.tar`;
  host.report({ kind: 'step', text: `Expanding ${path}` });
  if (linked === undefined) {
    await withFileErrors(`expand ${path}`, () => expand(host, path, expanded));
    return `docker-archive:${expanded}:@${index}`;
  }
  const { writeSingleImageArchive } = await import('./local/single-image-archive.ts');
  await withFileErrors(`expand ${path}`, () => writeSingleImageArchive(host, path, linked, expanded));
  return `docker-archive:${expanded}:@0`;
}

async function hideColon(path: string, folder: string): Promise<string> {
  if (!path.includes(':')) return path;
  const link = `${folder}/source`;
  // The link exists when the image is opened a second time.
  unlinkIfThere(link);
  await symlink(path, link);
  return link;
}

async function expand(host: Host, path: string, destination: string): Promise<void> {
  try {
    const { signal } = host;
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(destination), { signal });
  } catch (error) {
    throwIfInterrupted(host);
    throw toInflateError(error, path);
  }
}
