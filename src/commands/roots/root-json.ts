import type { NamedRoot } from '../../containers/find-root.ts';

/** Builds the image or container of a root filesystem for the `--json` of `diff` and `mount`. */
export function buildRootJson(root: NamedRoot): unknown {
  const { kind, name, id, commit } = root;
  return root.kind === 'image'
    ? { kind, name, id, commit }
    : { kind, name, deployment: root.deployment.number, id, commit };
}
