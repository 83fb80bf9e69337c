import type { Host } from '../../host/host.ts';
import type { SourceOptions } from '../../image/image.ts';
import type { Pointer } from '../../native/glib.ts';
import type { ObjectVerifier } from './object-verifier.ts';
import type { RepairScratch } from './repair-scratch.ts';

/** A repair of one store that is under way, with its lock held exclusively. */
export interface Repair {
  readonly host: Host;
  readonly repo: Pointer;
  readonly verifier: ObjectVerifier;
  readonly scratch: RepairScratch;
  /** How to reach the registry. */
  readonly options: SourceOptions;
  /** Finds content objects that deployments still have: checksum -> a path with that content, owner, mode and xattrs. */
  readonly findDonors: (checksums: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>;
  /** Checksums of the content objects that were replaced so far. */
  readonly replaced: Set<string>;
  /** The damaged files in their places (`formatFileIdentity`): other hard links to them may be in use. */
  readonly givenUp: Set<string>;
  /** Commits that refs named before and that cannot be read. */
  readonly discarded: Set<string>;
}
