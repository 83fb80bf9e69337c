/**
 * Opens an image that `skopeo copy` has brought into the scratch folder. That command obeys the trust policy, which the
 * image proxy of skopeo before 1.14 does not, it is the only one that hands over signatures, and it reads sources whose
 * layers the proxy cannot give. The `dir:` form keeps the manifest as it is.
 *
 * ```
 * SCRATCH/image/
 *   manifest.json, version     the manifest as it is in the source
 *   HEX                        a blob
 *   signature-1, ...           signatures, when the source has some
 * ```
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { AtomicError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { type ImageSource, openThroughProxy, type Scratch } from './image-source.ts';
import { ImageProxy } from './skopeo/image-proxy.ts';
import { copyUnderPolicy } from './skopeo/skopeo.ts';
import type { SkopeoOptions } from './skopeo/source-flags.ts';

/** A simple signature has about 1 KiB. */
const MAX_SIGNATURE_BYTES = 64 * 1024;
const MAX_SIGNATURES = 32;

/**
 * @param source as skopeo writes it
 * @param folder the scratch folder; the copy is removed with it
 * @param signatures whether the policy has verified them; those that nobody has looked at are not kept
 * @throws AtomicError POLICY_REJECTED before anything is copied, and what skopeo says
 */
export async function openPrivateCopy(
  host: Host,
  source: string,
  folder: string,
  signatures: 'verified' | 'unchecked',
  options: SkopeoOptions,
): Promise<ImageSource> {
  const copy = `${folder}/image`;
  host.report({ kind: 'step', text: `Copying ${source}` });
  await copyUnderPolicy(host, source, `dir:${copy}`, { ...options, temporaryFolder: folder });
  const kept = signatures === 'verified' ? await readSignatures(copy) : [];
  const opened = await openThroughProxy(host, `dir:${copy}`, { temporaryFolder: folder, trust: 'on-copy' });
  return { ...opened, location: source, signatures: kept };
}

/**
 * Refuses a copy that the filesystem has no room for before anything of it is read. It asks for the manifest once more
 * than the copy itself, so it is for sources that give it cheaply.
 *
 * @param source as skopeo writes it
 * @throws AtomicError NO_SPACE, and what the source says
 */
export async function requireRoomForCopy(
  host: Host,
  source: string,
  scratch: Scratch,
  options: SkopeoOptions,
): Promise<void> {
  // Newer proxies obey the trust policy, on the manifest of a list too, which nobody signs. The copy is what it judges.
  const proxy = await ImageProxy.start(host, { ...options, trust: 'on-copy' });
  try {
    await scratch.requireRoom((await proxy.openImage(source)).manifest);
  } finally {
    await proxy.close();
  }
}

/** @throws AtomicError MANIFEST_INVALID when there are more or larger ones than anybody makes */
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
    hint: 'Remove the superfluous signatures from the place that registries.d names; nothing was stored.',
  });
}
