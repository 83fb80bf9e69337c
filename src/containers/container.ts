/** The types of containers and plans for commands and lists. */
import type { Checksum } from '../image/checksum.ts';
import type { Privilege } from './consent/privilege.ts';
import type { DeploymentNumber } from './deployment.ts';
import type { UnitNote } from './file-condition.ts';
import type { NewVolumes, PlannedVolume } from './render/config/image-volumes.ts';
import type { HostFilesRecord, PlannedHostFile, PlannedHostFolder } from './render/hostfiles/host-file.ts';
import type { ServiceOptions } from './render/options/service-options.ts';
import type { Secrets } from './render/secrets/secret-option.ts';
import type { ValueOrigins } from './render/values/value-origins.ts';

export type ContainerStatus = 'running' | 'failed' | 'inactive' | 'no service';

/** The commit in an `info` file: `''` when it has none, `damaged` when its text is not a checksum. */
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
  /** The files of the container on the host other than its unit and its tmpfiles.d file. */
  readonly hostFiles: HostFilesRecord;
  /** Paths in the container of its volumes, in folders of the host (volumes/volume-folders.ts). */
  readonly volumes: readonly string[];
  /** Folders with the name of the container that belong to another program (state/foreign-folders.ts). */
  readonly foreignFolders: readonly string[];
  /** Folders below `/run` that the install created, outermost first. They are removed with the container. */
  readonly createdFolders: readonly string[];
  /** The origin of each value; `undefined` in a file of the original, which does not record it. */
  readonly valueOrigins: ValueOrigins | undefined;
  readonly secrets: Secrets;
  /** `stateVersion` of the image. */
  readonly stateVersion?: string;
  /** The options by which the person has changed the service. */
  readonly options: ServiceOptions;
  /** The patches of the configuration: names of their files, and SHA-256. */
  readonly patches: Readonly<Record<string, string>>;
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
      readonly unitNotes: readonly UnitNote[];
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
  /** Container name; the default is derived from the image (compatibility I-10). */
  readonly name?: string;
  /** The values that a person sets, or has set before. */
  readonly values: Readonly<Record<string, string>>;
  /** Those of them that the image must use: a person sets them now. */
  readonly checkedNames: readonly string[];
  /** `--volume`, `--env` and the other options that change the service. */
  readonly options: ServiceOptions;
  readonly secrets: Secrets;
  /** `--runtime PATH`. */
  readonly runtime?: string;
  /** `--keep-new`: writes a file of the image beside the file of the host that it does not replace. */
  readonly keepsNew?: boolean;
  /** `--pull`: fetches a stored image again. */
  readonly pulls?: boolean;
  /** `--no-lint`: faults that only the lint finds are warnings. */
  readonly skipsLint?: boolean;
}

/** A file that an install or update writes beside the root filesystem, with its whole content. */
export interface PlannedFile {
  /**
   * `unit` and `tmpfiles` are files of the host; `config` (`config.json`) and `info` are in the deployment folder. Only
   * `unit` may be the role of several files.
   */
  readonly role: 'unit' | 'tmpfiles' | 'config' | 'info';
  /** Absolute path of the file when the deployment is active. */
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
  /** Folders that are created for them, outermost first. */
  readonly hostFolders: readonly PlannedHostFolder[];
  /** Paths of host files at which the host has a file of its own, which does not change. */
  readonly keptFiles: readonly string[];
  readonly volumes: readonly PlannedVolume[];
  readonly newVolumes: NewVolumes;
  /** The privileges on the host that the deployment asks for. */
  readonly asks: readonly Privilege[];
  /** Those of them that the person asks for, with options and patches. */
  readonly grants: readonly Privilege[];
  /** Programs run after the commit point, in order, as argv. */
  readonly commands: readonly (readonly string[])[];
}

/** What `--display` prints of a deployment: one that would be built, or one that a rollback would use again. */
export interface DeploymentPlan
  extends Pick<
    InstallPlan,
    'name' | 'image' | 'deployment' | 'files' | 'hostFiles' | 'keptFiles' | 'asks' | 'commands'
  > {
  readonly record: DeploymentRecord;
  readonly volumes: readonly Pick<PlannedVolume, 'path' | 'folder' | 'isNew'>[];
}

/** A difference between what an install asked for and the container that exists. */
export interface PresentDifference {
  readonly kind: 'image' | 'value' | 'secret' | 'option' | 'runtime';
  /** The name of a value, a secret or an option; otherwise the kind. */
  readonly name: string;
  /** Null when there is no such value or secret. Of a secret, the path of its file. */
  readonly installed: string | null;
  readonly asked: string;
}

/** The container exists, and nothing was changed. */
export interface AlreadyPresent {
  readonly kind: 'already-present';
  readonly name: string;
  readonly differences: readonly PresentDifference[];
}

export type InstallOutcome = { readonly kind: 'installed'; readonly plan: InstallPlan } | AlreadyPresent;
