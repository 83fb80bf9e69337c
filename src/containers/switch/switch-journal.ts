import type { DeploymentNumber } from '../deployment.ts';
import type { CommitPoint, Journal } from '../journal-format.ts';
import type { NewVolumes } from '../render/config/image-volumes.ts';
import type { DeploymentPlace, Step } from '../step.ts';
import { buildVolumeSteps } from '../volumes/remove-volumes.ts';

/** The switch of one container from one deployment to the other. */
export interface SwitchMember {
  readonly container: string;
  readonly from: DeploymentNumber;
  readonly to: DeploymentNumber;
  readonly isEnabled: boolean;
  /** Whether the number of the new deployment was in use before. */
  readonly hadPrevious: boolean;
  /** The state folder, when the switch copies it or restores another state. */
  readonly state?: string;
  /** The volumes that an update makes. */
  readonly newVolumes?: NewVolumes;
}

/** An update or a rollback, of one container or of a group. */
export interface Switch {
  readonly operation: 'update' | 'rollback';
  readonly members: readonly [SwitchMember, ...SwitchMember[]];
}

/** Builds the journal for the time when the running containers are unchanged. */
export function buildBuildingJournal(change: Switch): Journal {
  const places = (member: SwitchMember) => [{ number: member.to, state: 'new' } as const];
  const back = [...buildRemovals(change, places), ...change.members.flatMap(undoVolumes)];
  return build(change, { phase: 'building' }, back, []);
}

/**
 * Builds the journal that leads back from any point of the switch.
 *
 * @param running the units that ran before, with their types; they are started again in every case
 */
export function buildSwitchingJournal(change: Switch, running: readonly string[]): Journal {
  const { operation, members } = change;
  // A rollback moves no deployment.
  const failed = ({ to: number }: SwitchMember): DeploymentPlace =>
    operation === 'update' ? { number, state: 'old' } : { number, state: 'final' };
  const units = members.map((member) => ({
    ...{ container: member.container, from: failed(member), to: member.from, isEnabled: member.isEnabled },
  }));
  const back: Step[] = [
    ...members.map(({ container, from }): Step => ({ step: 'stop', container, unless: from })),
    ...members.map(({ container, from }): Step => ({ step: 'link', container, from: null, to: from })),
    ...members.flatMap(({ container, from, to, state: folder }): Step[] => {
      // A copy of an update is the only state worth keeping.
      const keeper = operation === 'update' ? null : to;
      return folder === undefined ? [] : [{ step: 'state', container, folder, source: from, keeper }];
    }),
    ...members.flatMap((member): Step[] => {
      const { container, from, to: number, hadPrevious } = member;
      return [
        ...(operation === 'update'
          ? [{ step: 'set-aside', container, number, hasPrevious: hadPrevious } as const]
          : []),
        { step: 'host-files', container, from: [failed(member)], to: from },
        { step: 'unit-files', container, to: from },
      ];
    }),
    { step: 'reload', units },
    // Before the removals: a mount in the failed deployment must not keep the old service from running.
    { step: 'start', units: running },
    ...(operation === 'update' ? members.flatMap((member) => buildEnd(member, failed(member))) : []),
  ];
  return build(change, { phase: 'switching' }, back, []);
}

/** Builds the journal for the time when the new deployments are up. */
export function buildSettledJournal(change: Switch): Journal {
  const places = ({ to: number }: SwitchMember) =>
    (['previous', 'old'] as const).map((state) => ({ number, state }));
  const spares = change.members.map(
    ({ container, from, to }) => ({ step: 'drop-spares', container, from, to }) as const,
  );
  return build(change, { phase: 'settled' }, [], [...spares, ...buildRemovals(change, places)]);
}

function buildEnd(member: SwitchMember, failed: DeploymentPlace): readonly Step[] {
  const { container, from, to } = member;
  return [
    { step: 'remove-created-folders', container, made: failed, keeper: from },
    { step: 'remove', container, places: [failed, { number: to, state: 'new' }] },
    ...undoVolumes(member),
  ];
}

function undoVolumes({ container, newVolumes }: SwitchMember): readonly Step[] {
  return newVolumes === undefined ? [] : buildVolumeSteps(container, newVolumes);
}

function buildRemovals(
  { members }: Switch,
  listPlaces: (member: SwitchMember) => readonly DeploymentPlace[],
): readonly Step[] {
  return members.map((member) => ({
    step: 'remove',
    container: member.container,
    places: listPlaces(member),
  }));
}

function build(
  { operation, members: [first, ...others] }: Switch,
  commit: CommitPoint,
  back: readonly Step[],
  rest: readonly Step[],
): Journal {
  const containers = [first.container, ...others.map(({ container }) => container)] as const;
  return { operation, containers, commit, back, rest };
}
