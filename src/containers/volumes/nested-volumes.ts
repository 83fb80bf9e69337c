/** Volumes of two deployments of a container. */
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { listBindSources, parseRuntimeConfig } from '../render/config/runtime-config.ts';
import { buildVolumesRoot } from './volume-folders.ts';

/** What decides about the volumes of a deployment. */
interface Deployed {
  /** Text of `config.json`; undefined when there is none. */
  readonly config: string | undefined;
  readonly values: Readonly<Record<string, string | number>>;
}

/**
 * Refuses a volume inside a folder that the other deployment binds. The service that has the outer folder could replace the
 * inner one by a symlink while it runs, and the runtime would follow the symlink to any folder of the host. Both directions
 * count, because a rollback goes back. Folders outside the state folder of the container need consent instead.
 *
 * @throws CONFIG_INVALID
 */
export function requireSeparateVolumes(name: string, current: Deployed, next: Deployed): void {
  const [before, after] = [listOwnBinds(name, current), listOwnBinds(name, next)];
  const nested =
    findNested(before, after.filter(isVolume(name, next))) ??
    findNested(after, before.filter(isVolume(name, current)));
  if (nested === undefined) return;
  const { inner, outer } = nested;
  throw new AtomicError(
    'CONFIG_INVALID',
    `Cannot update ${name}: the volume ${toPrintable(inner)} is inside ${toPrintable(outer)}, which the other image has as a folder of its own`,
    {
      hint: `Uninstall ${name} and install the image again, or install it under another name.`,
      details: { name, inner, outer },
    },
  );
}

function findNested(outers: readonly string[], inners: readonly string[]) {
  for (const inner of inners) {
    const outer = outers.find((path) => inner.startsWith(`${path}/`));
    if (outer !== undefined) return { inner, outer };
  }
  return undefined;
}

function isVolume(name: string, { values }: Deployed): (path: string) => boolean {
  const root = buildVolumesRoot(name, values.STATE_DIRECTORY);
  return (path) => root !== undefined && path.startsWith(`${root}/`);
}

/** Lists the sources of binds in the state folder. A configuration that cannot be parsed starts no service. */
function listOwnBinds(name: string, { config, values }: Deployed): readonly string[] {
  const root = buildVolumesRoot(name, values.STATE_DIRECTORY);
  if (config === undefined || root === undefined) return [];
  const own = dirname(root);
  try {
    const sources = listBindSources(parseRuntimeConfig(config, 'config.json'));
    return sources.filter((source) => source === own || source.startsWith(`${own}/`));
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'CONFIG_INVALID') return [];
    throw error;
  }
}
