import type { DeploymentNumber } from '../deployment.ts';
import type { Journal } from '../journal-format.ts';
import type { NewVolumes } from '../render/config/image-volumes.ts';
import { buildVolumeSteps } from '../volumes/remove-volumes.ts';

/**
 * The symlink is removed first: after a crash on the way back, recovery undoes again, and does not finish the install.
 *
 * @param volumes those that the install makes
 */
export function buildInstallJournal(
  container: string,
  number: DeploymentNumber,
  volumes: NewVolumes,
): Journal {
  const final = { number, state: 'final' } as const;
  const old = { number, state: 'old' } as const;
  return {
    operation: 'install',
    containers: [container],
    commit: { link: number },
    back: [
      { step: 'link', container, from: number, to: null },
      { step: 'deactivate', container, number },
      { step: 'host-files', container, from: [final, old], to: null },
      { step: 'set-aside', container, number, hasPrevious: false },
      { step: 'remove', container, places: [old, { number, state: 'new' }] },
      ...buildVolumeSteps(container, volumes),
    ],
    rest: [{ step: 'activate', container, number }],
  };
}
