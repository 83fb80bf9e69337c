/**
 * Repairs one image in rounds: each round replaces what it can, and the next one can then read further. Sources on this
 * machine are used before the network: files of deployments, then the merge of sound layers. Then only the layers with damaged
 * objects are fetched. At last a new commit is written if the old one is lost.
 *
 * Each object is replaced by one rename, so a failure or a crash leaves the store no worse than before.
 */

import { AtomicError } from '../../base/errors.ts';
import { buildRetryPauses } from '../../base/retry-pauses.ts';
import { unlinkIfThere } from '../../host/files/unlink-file.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { Digest } from '../../image/digest.ts';
import { type BlobDescriptor, type ImageManifest, parseManifest } from '../../image/manifest.ts';
import { tryParseReference } from '../../image/reference.ts';
import type { StoreProblem } from '../../image/verified-image.ts';
import { findRef, formatObjectPath, listRefNames } from '../../ostree/object-files.ts';
import { tolerateDamage } from '../../ostree/tolerate-damage.ts';
import { writeRef } from '../../ostree/write-refs.ts';
import type { ImageSource } from '../../source/image-source.ts';
import { openPinnedImage } from '../../source/pinned-source.ts';
import { openRenewableSource, type RenewableSource } from '../../source/renewable-source.ts';
import { findLostCommit } from './lost-commit.ts';
import { placeLink } from './place-object.ts';
import { rebuildDirectories, rewriteImageCommit } from './rebuild-root.ts';
import { refetchConfig, refetchLayers } from './refetch.ts';
import type { Repair, Replacement } from './repair.ts';
import { type VerifiedContent, verifyImage } from './verify-image.ts';
import {
  buildPartsTarget,
  buildUnnamedTarget,
  findTrustedManifest,
  readTarget,
  type TrustedManifest,
  type VerifyTarget,
} from './verify-targets.ts';

export interface RepairedImage {
  readonly target: VerifyTarget;
  /** State of the image after the repair. */
  readonly verified: VerifiedContent;
  readonly fetchedLayers: readonly Digest[];
  readonly takenFromDeployments: number;
  /** The replacements, also those before a failure. */
  readonly replacements: readonly Replacement[];
  /** Reason why an object is still damaged; `undefined` when none is. */
  readonly failure: string | undefined;
}

/**
 * @param digest digest of the image by the records of deployments, for an image whose commit is lost
 * @throws INTERRUPTED; errors of the disk. A failure of the source is in `failure`
 */
export async function repairImage(
  repair: Repair,
  target: VerifyTarget,
  digest: Digest | undefined,
): Promise<RepairedImage> {
  const rounds = new RepairRounds(repair, target, digest);
  try {
    const failure = await rounds.run();
    const repaired = rounds.readTarget();
    const verified = await verifyImage(repair.host, repair.verifier, repaired);
    const { fetchedLayers, takenFromDeployments, replacements } = rounds;
    return { target: repaired, verified, fetchedLayers, takenFromDeployments, replacements, failure };
  } finally {
    await rounds.close();
  }
}

/** Removes damaged commits that no ref names any more, because `ostree fsck` reports them. */
export async function removeDiscardedCommits(
  { host, verifier }: Repair,
  discarded: ReadonlySet<Checksum>,
): Promise<void> {
  const { repository } = host.locations;
  const named = new Set(
    listRefNames(repository).map((name) => tolerateDamage(() => findRef(repository, `ociimage/${name}`))),
  );
  for (const commit of discarded) {
    if (named.has(commit) || (await verifier.check('commit', commit)).state === 'sound') continue;
    unlinkIfThere(formatObjectPath(repository, commit, 'commit'));
  }
}

class RepairRounds {
  readonly #repair: Repair;
  readonly #target: VerifyTarget;
  readonly #digest: Digest | undefined;
  readonly fetchedLayers: Digest[] = [];
  readonly replacements: Replacement[] = [];
  takenFromDeployments = 0;
  #configIsFetched = false;
  #source: RenewableSource | undefined;

  constructor(repair: Repair, target: VerifyTarget, digest: Digest | undefined) {
    this.#repair = repair;
    this.#target = target;
    this.#digest = digest;
  }

  /** @returns the reason why an object is still damaged; `undefined` when none is */
  async run(): Promise<string | undefined> {
    try {
      return await this.#repairAll();
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
      return error.message;
    }
  }

  readTarget(): VerifyTarget {
    const { reference, ref, commit } = this.#target;
    const { host } = this.#repair;
    if (ref !== undefined || commit === undefined) return readTarget(host, reference);
    return buildUnnamedTarget(host, reference, commit);
  }

  async close(): Promise<void> {
    await this.#source?.close();
  }

  async #repairAll(): Promise<string | undefined> {
    const { host, verifier } = this.#repair;
    await this.#restoreRef();
    const { reference, ref, commit } = this.readTarget();
    const isCommitSound = commit !== undefined && (await verifier.check('commit', commit)).state === 'sound';
    const recorded =
      findTrustedManifest(host.locations.repository, commit, isCommitSound) ?? (await this.#readManifest());
    const manifest = parseManifest(recorded.text);
    if (isCommitSound) return this.#repairTarget(() => this.readTarget(), recorded, manifest);
    if (ref === undefined)
      return 'its commit is lost, and no name refers to it: uninstall the container and install it again';
    const parts = buildPartsTarget(reference, recorded);
    const failure = await this.#repairTarget(() => parts, recorded, manifest);
    if (failure !== undefined) return failure;
    await this.#rewriteCommit(recorded, manifest);
    if (commit !== undefined) this.replacements.push({ discarded: commit });
    return this.#repairTarget(() => this.readTarget(), recorded, manifest);
  }

  /** Points a damaged ref at its former commit, if the store still has it. */
  async #restoreRef(): Promise<void> {
    const { host, verifier } = this.#repair;
    const { reference, ref, commit } = this.#target;
    if (ref === undefined || commit !== undefined) return;
    const lost = await findLostCommit(host, verifier, reference, this.#digest);
    if (lost !== undefined) await writeRef(host, ref, lost);
  }

  async #rewriteCommit(recorded: TrustedManifest, manifest: ImageManifest): Promise<void> {
    const { verifier } = this.#repair;
    const { reference } = this.#target;
    await rewriteImageCommit(this.#repair, reference, recorded, manifest);
    const { commit } = this.readTarget();
    if (commit !== undefined) verifier.forget('commit', commit);
  }

  async #repairTarget(
    read: () => VerifyTarget,
    recorded: TrustedManifest,
    manifest: ImageManifest,
  ): Promise<string | undefined> {
    const { host, verifier } = this.#repair;
    for (;;) {
      const { problems } = await verifyImage(host, verifier, read());
      if (problems.length === 0) return undefined;
      const replaced =
        (await this.#record(this.#takeFromDeployments(problems))) ||
        (await this.#record(rebuildDirectories(this.#repair, manifest, problems))) ||
        (await this.#record(this.#fetch(problems, recorded, manifest)));
      if (replaced === 0) return 'the source of the image does not contain the damaged objects';
    }
  }

  /** @returns the number of replacements */
  async #record(replacements: AsyncIterable<Replacement>): Promise<number> {
    const before = this.replacements.length;
    for await (const replacement of replacements) this.replacements.push(replacement);
    return this.replacements.length - before;
  }

  async *#takeFromDeployments(problems: readonly StoreProblem[]): AsyncGenerator<Replacement> {
    const wanted = new Set(problems.flatMap((problem) => (problem.kind === 'file' ? problem.name : [])));
    if (wanted.size === 0) return;
    for (const [checksum, path] of await this.#repair.findDonors(wanted)) {
      yield await placeLink(this.#repair, 'file', checksum, path);
      this.takenFromDeployments += 1;
    }
  }

  async *#fetch(
    problems: readonly StoreProblem[],
    recorded: TrustedManifest,
    manifest: ImageManifest,
  ): AsyncGenerator<Replacement> {
    const layers = chooseLayers(problems, manifest).filter(
      ({ digest }) => !this.fetchedLayers.includes(digest),
    );
    const needsConfig =
      !this.#configIsFetched && problems.some(({ isInRoot, layers }) => !isInRoot && layers.length === 0);
    if (layers.length === 0 && !needsConfig) return;
    const { options } = this.#repair;
    const source = await this.#openSource(recorded);
    const from = { source, retryPauses: options.retryPauses ?? buildRetryPauses() };
    if (layers.length > 0) {
      yield* refetchLayers(this.#repair, from, layers);
      this.fetchedLayers.push(...layers.map(({ digest }) => digest));
    }
    if (needsConfig) {
      this.#configIsFetched = true;
      yield* refetchConfig(this.#repair, from, manifest.config);
    }
  }

  async #openSource({ source, digest }: TrustedManifest): Promise<RenewableSource> {
    const location = source === '' ? `docker://${this.#target.reference}` : source;
    return this.#open(() => this.#openPinned(location, digest));
  }

  /** Fetches the manifest of an image whose commit is lost, by the digest in a deployment: the tag may have moved. */
  async #readManifest(): Promise<TrustedManifest> {
    const { reference } = this.#target;
    const known = this.#digest;
    if (known === undefined) throw buildForgotten(reference);
    const location = `docker://${reference}`;
    const { digest, manifest, signatures } = await this.#open(() => this.#openPinned(location, known));
    return { digest, text: manifest.toString('utf8'), source: location, signatures };
  }

  #openPinned(location: string, digest: Digest): Promise<ImageSource> {
    const { scratch, options } = this.#repair;
    return openPinnedImage(scratch.host, { location, digest }, scratch.source, options);
  }

  async #open(open: () => Promise<ImageSource>): Promise<RenewableSource> {
    this.#source ??= await openRenewableSource(open);
    return this.#source;
  }
}

function buildForgotten(reference: string): AtomicError {
  const isFull = tryParseReference(reference)?.registry !== undefined;
  const again = isFull ? `atomic pull ${reference}` : `atomic pull --as ${reference} SOURCE`;
  return new AtomicError(
    'STORE_CORRUPT',
    `its commit is lost, and its source is not recorded; pull the image again: ${again}`,
  );
}

/** Chooses the layers to fetch: when several have a damaged object, the smallest of them. */
function chooseLayers(problems: readonly StoreProblem[], manifest: ImageManifest): BlobDescriptor[] {
  const bySize = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()].sort(
    (a, b) => a.size - b.size,
  );
  const chosen = new Set<string>();
  const single = problems.filter(({ layers }) => layers.length === 1);
  for (const { layers } of single) for (const digest of layers) chosen.add(digest);
  for (const { layers } of problems) {
    if (layers.some((digest) => chosen.has(digest))) continue;
    const smallest = bySize.find(({ digest }) => layers.includes(digest));
    if (smallest !== undefined) chosen.add(smallest.digest);
  }
  return manifest.layers.filter(({ digest }, index, all) => {
    const isFirst = all.findIndex((layer) => layer.digest === digest) === index;
    return isFirst && chosen.has(digest);
  });
}
