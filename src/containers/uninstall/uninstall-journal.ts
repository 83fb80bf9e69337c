import { deploymentNumbers } from '../deployment.ts';
import type { Journal } from '../journal-format.ts';
import type { Step } from '../step.ts';

/** The container of an uninstall. `runtime` is null when `info` is damaged. */
export interface UninstallSubject {
  readonly name: string;
  readonly hasService: boolean;
  readonly runtime: string | null;
  readonly wasActive: boolean;
  /** What happens to the volumes; none for a container without them. */
  readonly volumes: readonly Step<'remove-volumes'>[];
  /** Folders with its name that belong to it, and that stay unless they are empty. */
  readonly ownFolders: readonly string[];
}

/** The commit point: the container is no longer listed, and after a crash recovery removes it. */
export function commitStep(container: string): Step<'link'> {
  return { step: 'link', container, from: null, to: null };
}

/**
 * The deployments are renamed first. Lists ignore the new names, and the copies in them still show which files of the host
 * belong to atomic.
 *
 * @param running the units that ran and are stopped with the service, with their types, the service first
 */
export function buildUninstallJournal(subject: UninstallSubject, running: readonly string[]): Journal {
  const { name: container, hasService, runtime, wasActive, volumes, ownFolders } = subject;
  const old = deploymentNumbers.map((number) => ({ number, state: 'old' }) as const);
  const built = deploymentNumbers.map((number) => ({ number, state: 'new' }) as const);
  return {
    operation: 'uninstall',
    containers: [container],
    commit: { link: null },
    back: wasActive ? [{ step: 'start-again', container, units: running }] : [],
    rest: [
      commitStep(container),
      ...deploymentNumbers.map((number) => buildSetAside(container, number)),
      ...(hasService ? [{ step: 'disable', container } as const] : []),
      // Before systemd reads its units again for the last time.
      { step: 'host-files', container, from: old, to: null },
      { step: 'unregister', container, hasService, runtime },
      { step: 'remove', container, places: [...old, ...built] },
      ...volumes,
      { step: 'mark-folders', container, folders: ownFolders },
      { step: 'forget', container },
    ],
  };
}

/** Reads the subject back from its journal. */
export function readSubject({ containers: [name], back, rest }: Journal): UninstallSubject {
  const end = rest.find((step) => step.step === 'unregister');
  return {
    ...{ name, hasService: end?.hasService ?? false, runtime: end?.runtime ?? null },
    wasActive: back.length > 0,
    volumes: rest.filter((step) => step.step === 'remove-volumes'),
    ownFolders: rest.find((step) => step.step === 'mark-folders')?.folders ?? [],
  };
}

function buildSetAside(container: string, number: 0 | 1): Step<'set-aside'> {
  return { step: 'set-aside', container, number, hasPrevious: false };
}
