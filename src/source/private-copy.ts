/**
 * Copies an image into the scratch folder with `skopeo copy`, and opens the copy. That command obeys the trust policy, which
 * the image proxy of skopeo before 1.14 does not. It is the only command that delivers signatures, and it reads sources whose
 * layers the proxy cannot read. The `dir:` form keeps the bytes of the manifest.
 *
 * ```
 * SCRATCH/image/
 *   manifest.json, version     the original manifest
 *   HEX                        a blob
 *   signature-1, ...           signatures, if the source has any
 * ```
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { type ImageSource, openThroughProxy, type Scratch } from './image-source.ts';
import { ImageProxy } from './skopeo/image-proxy.ts';
import { copyUnderPolicy } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

export interface PrivateCopyOptions extends SkopeoOptions {
  /** Whether the policy verifies the signatures; unchecked ones are not kept. */
  readonly signatures: 'verified' | 'unchecked';
}

/** A simple signature has about 1 KiB. */
const MAX_SIGNATURE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 32;

/**
 * @param source as skopeo writes it
 * @param folder the scratch folder; the copy is removed with it
 * @throws AtomicError POLICY_REJECTED before anything is copied; other failures of skopeo
 */
export async function openPrivateCopy(
  host: Host,
  source: string,
  folder: string,
  { signatures, ...options }: PrivateCopyOptions,
): Promise<ImageSource> {
  const copy = `${folder}/image`;
  host.report({ kind: 'step', text: `Copying ${source}` });
  await copyUnderPolicy(host, source, `dir:${copy}`, { ...options, temporaryFolder: folder });
  const kept = signatures === 'verified' ? await readSignatures(copy) : [];
  const opened = await openThroughProxy(host, `dir:${copy}`, { temporaryFolder: folder, trust: 'on-copy' });
  return { ...opened, location: source, signatures: kept };
}

/**
 * Refuses a copy that does not fit on the filesystem, before its layers are read. It reads the manifest one time more than
 * the copy does, so it is for sources where that is cheap.
 *
 * @param source as skopeo writes it
 * @throws AtomicError NO_SPACE; failures of the source
 */
export async function requireRoomForCopy(
  host: Host,
  source: string,
  scratch: Scratch,
  options: SkopeoOptions,
): Promise<void> {
  // Newer proxies apply the trust policy to the manifest of a list too, which has no signature. The policy applies to the copy.
  const proxy = await ImageProxy.start(host, { ...options, trust: 'on-copy' });
  try {
    await scratch.requireRoom((await proxy.openImage(source)).manifest);
  } finally {
    await proxy.close();
  }
}

/** @throws AtomicError MANIFEST_INVALID when there are too many signatures or a signature is too large */
async function readSignatures(folder: string): Promise<readonly Buffer[]> {
  const names = (await readdir(folder)).filter((name) => /^signature-[0-9]+$/.test(name)).sort(byNumber);
  if (names.length > MAX_SIGNATURES) {
    throw tooMuch(`${names.length} signatures are more than ${MAX_SIGNATURES}`);
  }
  return Promise.all(
    names.map(async (name) => {
      const path = `${folder}/${name}`;
      const { size } = await stat(path);
      if (size > MAX_SIGNATURE_BYTES)
        throw tooMuch(`${name} has ${size} bytes, more than ${MAX_SIGNATURE_BYTES}`);
      return readFile(path);
    }),
  );
}

function byNumber(a: string, b: string): number {
  return Number(a.slice('signature-'.length)) - Number(b.slice('signature-'.length));
}

function tooMuch(problem: string): AtomicError {
  return new AtomicError('MANIFEST_INVALID', `reading the signatures: ${problem}`, {
    hint: 'Remove the excess signatures from the place that registries.d names; nothing was stored.',
  });
}
