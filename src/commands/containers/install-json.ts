import type { AlreadyPresent, InstallPlan } from '../../containers/container.ts';

/** The changes that `install` has made, or with `--display` would make. */
export type InstallResult =
  | { readonly kind: 'installed' | 'replaced' | 'planned'; readonly plan: InstallPlan }
  | AlreadyPresent;

/** Builds the document of `install --json`; `plan` is null when there was nothing to do. */
export function buildInstallJson(result: InstallResult): Record<string, unknown> {
  if (result.kind === 'already-present') {
    const { kind, name, differences } = result;
    return { schemaVersion: 1, outcome: kind, name, changed: false, differences, plan: null };
  }
  const { name, image, deployment, record, files, hostFiles, keptFiles, asks, commands, volumes } =
    result.plan;
  return {
    schemaVersion: 1,
    outcome: result.kind,
    name,
    changed: result.kind !== 'planned',
    plan: {
      image,
      image_id: record.revision,
      deployment,
      runtime: record.runtime,
      values: record.values,
      options: record.options,
      patches: record.patches,
      asks,
      files: files.map(({ path, mode, content }) => ({
        path,
        mode: mode.toString(8).padStart(4, '0'),
        content,
      })),
      host_files: hostFiles.map(({ path, kind, mode, uid, gid, size, sha256, target }) => ({
        ...{ path, kind, mode: mode.toString(8).padStart(4, '0'), uid, gid, size },
        ...{ sha256: sha256 ?? null, target: target ?? null },
      })),
      kept_files: keptFiles,
      volumes: volumes.map(({ path, folder, isNew }) => ({ path, folder, new: isNew })),
      commands,
    },
  };
}
