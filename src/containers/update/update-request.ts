/** The options of an update, and its result. */
import type { Privilege } from '../consent/privilege.ts';
import type { InstallPlan } from '../container.ts';
import type { OptionChange } from '../render/options/service-options.ts';
import type { Secrets } from '../render/secrets/secret-option.ts';
import type { ValueChange } from '../render/values/value-origins.ts';
import type { HealthChoice } from './choose-health.ts';

/** The same for each container of a group. */
export interface UpdateRequest extends HealthChoice, ValueChange {
  /** The names of `set` that the image must use. */
  readonly checkedNames: readonly string[];
  readonly options: OptionChange;
  readonly secrets: Secrets;
  readonly unsetSecrets: readonly string[];
  /** The name of another image, as typed. */
  readonly rebase: string | undefined;
  /** Fetches the image from its source first. */
  readonly pulls: boolean;
  /** Starts the units that ran; otherwise the service stays stopped. */
  readonly starts: boolean;
  /** Also tries an image with which the service did not come up before. */
  readonly retries: boolean;
  /** Writes a file of the image beside the file of the host that it does not replace. */
  readonly keepsNew: boolean;
  /** Faults that only the lint finds are warnings. */
  readonly skipsLint: boolean;
  /** Only returns the plan. */
  readonly isPlan: boolean;
  /** Asks for consent when the new deployment asks for more of the host. @throws CONSENT_NEEDED */
  readonly consent: (name: string, widening: readonly Privilege[]) => Promise<void>;
}

export type UpdateResult =
  | { readonly outcome: 'up-to-date'; readonly name: string; readonly imageId: string }
  /** The service did not come up with the image before, and the image is not tried again. */
  | {
      readonly outcome: 'refused';
      readonly name: string;
      readonly imageId: string;
      readonly installedId: string;
      readonly reason: string;
    }
  | {
      readonly outcome: 'planned' | 'updated';
      readonly name: string;
      readonly from: { readonly deployment: number; readonly image: string; readonly imageId: string };
      /** The number of the new deployment. */
      readonly deployment: number;
      readonly plan: InstallPlan;
      /** The privileges that only the new deployment asks for. */
      readonly widening: readonly Privilege[];
      /** The state folder, when the update copies it for a rollback. */
      readonly state: string | undefined;
      /** The units that were stopped and started. */
      readonly restarted: readonly string[];
    };
