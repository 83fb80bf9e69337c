/** What a person asks of an update, and what became of it. */
import type { Privilege } from '../consent/privilege.ts';
import type { InstallPlan } from '../container.ts';
import type { ValueChange } from '../render/values/value-origins.ts';
import type { HealthChoice } from './choose-health.ts';

export interface UpdateRequest extends HealthChoice, ValueChange {
  readonly name: string;
  /** Another image, as a person wrote it. */
  readonly rebase: string | undefined;
  /** Fetches the image from its source first. */
  readonly pulls: boolean;
  /** Starts again what ran; else the service stays stopped. */
  readonly starts: boolean;
  /** Tries an image again that was taken back before. */
  readonly retries: boolean;
  /** Writes what does not replace a file of the host beside it. */
  readonly keepsNew: boolean;
  /** Only says what would be done. */
  readonly isPlan: boolean;
  /** Asks for consent when the new deployment asks for more of the host. @throws CONSENT_NEEDED */
  readonly consent: (name: string, widening: readonly Privilege[]) => Promise<void>;
}

export type UpdateResult =
  | { readonly outcome: 'up-to-date'; readonly name: string; readonly imageId: string }
  /** The image was taken back before, and is not tried again. */
  | { readonly outcome: 'refused'; readonly name: string; readonly imageId: string; readonly reason: string }
  | {
      readonly outcome: 'planned' | 'updated';
      readonly name: string;
      readonly from: { readonly deployment: number; readonly image: string; readonly imageId: string };
      readonly plan: InstallPlan;
      /** What the new deployment asks of the host that the old one does not. */
      readonly widening: readonly Privilege[];
      /** The units that were stopped and started. */
      readonly restarted: readonly string[];
    };
