import type { InstalledDeployment } from './list-deployments.ts';

/**
 * Finds the containers that have a deployment of an image, also one that is kept for a rollback.
 *
 * @param image what is known of it; `info` files of the original may name only one of both
 * @returns names, sorted
 */
export function findImageUsers(
  deployments: readonly InstalledDeployment[],
  { id, commit }: { readonly id: string | undefined; readonly commit: string | undefined },
): readonly string[] {
  const users = deployments.filter(
    ({ record }) =>
      (record.revision !== '' && record.revision === id) ||
      (record.ostreeCommit !== '' && record.ostreeCommit === commit),
  );
  return [...new Set(users.map(({ name }) => name))].sort();
}
