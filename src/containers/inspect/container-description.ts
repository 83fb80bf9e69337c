/** The facts about a container for `containers inspect`. */
import type { LineChange } from '../../base/compare-lines.ts';
import type { Privilege } from '../consent/privilege.ts';
import type { ContainerStatus, DeploymentRecord } from '../container.ts';
import type { DeploymentNumber } from '../deployment.ts';
import type { RefusedImage } from '../refused-image.ts';
import type { HealthCheck } from '../render/health-check.ts';
import type { ValueOrigins } from '../render/values/value-origins.ts';

export interface ContainerDescription {
  readonly name: string;
  /** `incomplete`: an operation is between two renames, or was killed there. */
  readonly status: ContainerStatus | 'damaged' | 'incomplete';
  /** Faults, and files that could not be read; for a person. */
  readonly problems: readonly string[];
  /** The operation that runs or was interrupted. */
  readonly operation: { readonly operation: string; readonly phase: string | undefined } | undefined;
  readonly service: ServiceDescription | undefined;
  /** Existing files of the host; undefined for a missing file. */
  readonly unit: string | undefined;
  readonly tmpfiles: string | undefined;
  readonly isHeld: boolean;
  /** Images whose service did not come up. */
  readonly refused: readonly RefusedImage[];
  /** The active one first. */
  readonly deployments: readonly DeploymentDescription[];
  /** Undefined unless both deployments can be read. */
  readonly changes: DeploymentChanges | undefined;
}

/** A service in the words of systemd. */
export interface ServiceDescription {
  readonly unit: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  /** `enabled`, `disabled`, `masked`, ...; empty for a unit that systemd does not know. */
  readonly fileState: string;
}

export interface DeploymentDescription {
  readonly number: DeploymentNumber;
  readonly folder: string;
  readonly isActive: boolean;
  /** Undefined when `info` cannot be read. */
  readonly installed: InstalledDescription | undefined;
  readonly problems: readonly string[];
}

export interface InstalledDescription {
  readonly record: DeploymentRecord;
  readonly origins: ValueOrigins;
  /** False for a deployment of the original, which does not record the origins. */
  readonly hasRecordedOrigins: boolean;
  /** Undefined without a service, and when the image cannot be read. */
  readonly health: HealthDescription | undefined;
  /** Undefined when its files cannot be understood. */
  readonly asks: readonly Privilege[] | undefined;
}

export interface HealthDescription {
  /** How long the service must stay as it is after a start, in seconds. */
  readonly settle: number;
  readonly check: HealthCheck | undefined;
}

/** The differences between the active deployment and the other one. */
export interface DeploymentChanges {
  readonly from: DeploymentNumber;
  readonly to: DeploymentNumber;
  readonly image: Change<{ readonly name: string; readonly id: string }> | undefined;
  readonly runtime: Change<string> | undefined;
  readonly values: readonly ValueDifference[];
  /** The rendered files that differ. */
  readonly texts: readonly TextDifference[];
  readonly hostFiles: readonly { readonly change: 'added' | 'removed' | 'changed'; readonly path: string }[];
  /** The privileges that only the active deployment asks for, and those that only the other one asks for. */
  readonly gained: readonly Privilege[];
  readonly dropped: readonly Privilege[];
}

interface Change<T> {
  readonly before: T;
  readonly after: T;
}

export interface ValueDifference {
  readonly name: string;
  /** Undefined: the deployment has no such value. */
  readonly before: string | number | undefined;
  readonly after: string | number | undefined;
}

export interface TextDifference {
  readonly role: 'unit' | 'tmpfiles' | 'config';
  readonly lines: readonly LineChange[];
}
