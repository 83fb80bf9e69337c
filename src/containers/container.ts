/** Containers as commands and listings see them. */
import type { Checksum } from '../image/checksum.ts';
import type { Privilege } from './consent/privilege.ts';
import type { DeploymentNumber } from './deployment.ts';
import type { HostFilesRecord, PlannedHostFile, PlannedHostFolder } from './render/hostfiles/host-file.ts';
import type { ValueOrigins } from './render/values/value-origins.ts';

export type ContainerStatus = 'running' | 'failed' | 'inactive' | 'no service';

/** The commit that an `info` file names: `''` when it names none, `damaged` when its text is not a checksum. */
export type RecordedCommit = Checksum | '' | 'damaged';

/** The content of `info` in a deployment folder (compatibility O-11). `info-file.ts` converts the names of its keys. */
export interface DeploymentRecord {
  readonly image: string;
  /** Image id, hex. */
  readonly revision: string;
  readonly ostreeCommit: RecordedCommit;
  /** Epoch seconds. */
  readonly created: number;
  readonly values: Readonly<Record<string, string | number>>;
  readonly hasContainerService: boolean;
  /** Path of the OCI runtime. */
  readonly runtime: string;
  /** What the container has on the host beside its unit and its tmpfiles.d file. */
  readonly hostFiles: HostFilesRecord;
  /** Folders below `/run` that the install created, outermost first. They are removed with the container. */
  readonly createdFolders: readonly string[];
  /** Where each value came from; `undefined` in a file of the original, which does not record it. */
  readonly valueOrigins: ValueOrigins | undefined;
}

/** A deployment of a listed container. */
export interface ListedDeployment {
  readonly number: DeploymentNumber;
  readonly isActive: boolean;
  /** Undefined when its `info` cannot be read. */
  readonly record: DeploymentRecord | undefined;
}

/** One container of `containers list`; `damaged` is a container whose files cannot be read, with the reason. */
export type ListedContainer =
  | {
      readonly kind: 'container';
      readonly name: string;
      readonly record: DeploymentRecord;
      /** Words of the process of `config.json`. */
      readonly command: readonly string[];
      readonly status: ContainerStatus;
      /** The active one first. */
      readonly deployments: readonly ListedDeployment[];
    }
  | {
      readonly kind: 'damaged';
      readonly name: string;
      readonly reason: string;
      readonly deployments: readonly ListedDeployment[];
    };

export interface InstallRequest {
  /** The image as typed. */
  readonly image: string;
  /** Container name; derived from the image when left out (compatibility I-10). */
  readonly name?: string;
  /** `--set` values. */
  readonly values: Readonly<Record<string, string>>;
  /** `--runtime PATH`. */
  readonly runtime?: string;
  /** `--keep-new`: what is not written over a file of the host is written beside it. */
  readonly keepsNew?: boolean;
}

/** A file that an install or update writes beside the root filesystem, with its whole content. */
export interface PlannedFile {
  /** `unit` and `tmpfiles` are files of the host; `config` (`config.json`) and `info` are in the deployment folder. */
  readonly role: 'unit' | 'tmpfiles' | 'config' | 'info';
  /** Absolute path that the file has when the deployment is active. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly content: string;
}

/** All changes of an install. The plan is complete before the first change; `--display` prints it. */
export interface InstallPlan {
  readonly name: string;
  readonly image: string;
  /** The deployment folder, `CHECKOUTS/NAME.0`. */
  readonly deployment: string;
  readonly record: DeploymentRecord & { readonly ostreeCommit: Checksum };
  readonly files: readonly PlannedFile[];
  /** From `/exports/hostfs` of the image, parents first. */
  readonly hostFiles: readonly PlannedHostFile[];
  /** Folders that are made for them, outermost first. */
  readonly hostFolders: readonly PlannedHostFolder[];
  /** Paths of host files where the host has something of its own, which stays as it is. */
  readonly keptFiles: readonly string[];
  /** The privileges that the deployment asks of the host. */
  readonly asks: readonly Privilege[];
  /** Programs run after the commit point, in order, as argv. */
  readonly commands: readonly (readonly string[])[];
}

export type InstallOutcome =
  | { readonly kind: 'installed'; readonly plan: InstallPlan }
  | { readonly kind: 'already-present'; readonly name: string };
