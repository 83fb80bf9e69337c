import type { Host } from '../../host/host.ts';
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
  readonly findDonors: (checksums: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>;
  /** Checksums of the content objects that were replaced up to now. */
  readonly replaced: Set<string>;
  /** Identities (`formatFileIdentity`) of the damaged files that were replaced. Other hard links to them may be in use. */
  readonly givenUp: Set<string>;
  /** Damaged commits that refs named before the repair. */
  readonly discarded: Set<string>;
}
