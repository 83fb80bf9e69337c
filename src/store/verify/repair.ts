import type { Host } from '../../host/host.ts';
import type { Checksum } from '../../image/checksum.ts';
import type { SourceOptions } from '../../image/image.ts';
import type { Pointer } from '../../native/glib.ts';
import type { ObjectVerifier } from './object-verifier.ts';
import type { RepairScratch } from './repair-scratch.ts';

/** A running repair of one store, which it holds exclusively. */
export interface Repair {
  readonly host: Host;
  readonly repo: Pointer;
  readonly verifier: ObjectVerifier;
  readonly scratch: RepairScratch;
  /** Options for the registry. */
  readonly options: SourceOptions;
  /** Finds files of deployments that equal content objects. @returns paths of the files, by checksum of the object */
  readonly findDonors: (checksums: ReadonlySet<Checksum>) => Promise<ReadonlyMap<Checksum, string>>;
}

/** One change of a repair that is on the disk. */
export interface Replacement {
  /** Checksum of the content object that was placed. */
  readonly content?: Checksum;
  /** Identity (`formatFileIdentity`) of the damaged file whose place was taken. Other hard links to it may be in use. */
  readonly givenUp?: string;
  /** Damaged commit that a ref named before. */
  readonly discarded?: Checksum;
}

export function collectFrom<Field extends keyof Replacement>(
  replacements: readonly Replacement[],
  field: Field,
): ReadonlySet<NonNullable<Replacement[Field]>> {
  return new Set(replacements.flatMap((replacement) => replacement[field] ?? []));
}
