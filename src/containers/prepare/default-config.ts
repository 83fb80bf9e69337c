/** Builds `config.json` of an image that brings none, from the image and from this host. */
import { listExisting } from '../../host/files/existing-paths.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import { resolveUser } from '../../image/user-lookup.ts';
import type { ImageTree } from '../../store/image-files.ts';
import { initPrograms, needsInit } from '../render/config/default-init.ts';
import { hostNetworkFiles, hostResolverFile, hostTimeFile } from '../render/config/default-mounts.ts';
import {
  buildDefaultRuntimeConfig,
  chooseCommand,
  listSearchPath,
} from '../render/config/default-runtime-config.ts';
import { listImageVolumes, type PlannedVolume } from '../render/config/image-volumes.ts';
import { applyToImage, type ImageChanges } from '../render/options/apply-options.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { planVolumes } from '../volumes/volume-folders.ts';
import { readRunFolders } from './read-run-folders.ts';

export const MAX_USER_FILE_BYTES = 1024 * 1024;

export interface DefaultConfig {
  readonly text: string;
  readonly volumes: readonly PlannedVolume[];
  /** Sentences for the person who installs the image. */
  readonly warnings: readonly string[];
}

interface DefaultSource {
  readonly tree: ImageTree;
  readonly imageConfig: ImageConfig;
  readonly exports: { readonly isPresent: boolean };
  readonly values: TemplateValues;
}

/** What the configuration takes from a host. */
interface HostParts {
  /** A program that can be process 1; undefined when there is none. */
  readonly init: string | undefined;
  /** Files for the same paths of the container. */
  readonly files: readonly string[];
}

/** For a configuration that is written for other hosts: a mount of a file that one of them does not have would not start. */
export const partsOfEveryHost: HostParts = { init: undefined, files: [hostResolverFile] };

/**
 * @param changes the options that change what the configuration is made of
 * @param parts default: those of this host
 * @throws CONFIG_INVALID, BAD_VALUE, FILE_CONFLICT
 */
export async function buildDefaultConfig(
  source: DefaultSource,
  changes: ImageChanges,
  parts?: HostParts,
): Promise<DefaultConfig> {
  const { tree, values } = source;
  const choice = chooseRunScript(source);
  const { imageConfig, hasRunScript } = applyToImage(
    { imageConfig: source.imageConfig, hasRunScript: choice.isTaken },
    changes,
  );
  const readUserFile = (file: string): string => tree.readFile(file, MAX_USER_FILE_BYTES)?.toString() ?? '';
  const users = { passwd: readUserFile('etc/passwd'), group: readUserFile('etc/group') };
  const user = resolveUser(imageConfig.user, users);
  const mounted = [...(changes.volumes ?? []), ...(changes.tmpfs ?? [])].map(
    ({ destination }) => destination,
  );
  const volumes = await planVolumes(
    values,
    listImageVolumes(imageConfig.volumes, (path) => tree.look(path)).filter(
      ({ path }) => !mounted.includes(path),
    ),
    user,
  );
  const { init, files } = parts ?? (await findHostParts());
  const command = chooseCommand({ hasRunScript, imageConfig });
  const run = readRunFolders(tree, users, command[0] ?? '');
  const text = buildDefaultRuntimeConfig({
    ...{ hasRunScript, imageConfig, user, init, runFolders: run.folders },
    volumes: volumes.map(({ path, folder }) => ({ path, source: folder })),
    hostFiles: files.filter((path) => path !== hostTimeFile || tree.look(path) === undefined),
  });
  const warnings = [
    ...(changes.entrypoint === undefined ? choice.warnings : []),
    ...(init === undefined && needsInit(command) ? [noInit] : []),
    ...run.warnings,
  ];
  return { text, volumes, warnings };
}

async function findHostParts(): Promise<HostParts> {
  const [init] = await listExisting(initPrograms);
  return { init, files: await listExisting([...hostNetworkFiles, hostTimeFile]) };
}

const noInit =
  'This host has no init for containers: a service that does not handle its stop signal is killed after 10 seconds. Install catatonit or tini: containers that are installed after that have it.';

/**
 * Images for the original program have `/exports` and a `run.sh`, which they start. In any other image, a file of this name on
 * the PATH is not meant when it has a command.
 */
function chooseRunScript({ tree, imageConfig, exports }: DefaultSource): {
  readonly isTaken: boolean;
  readonly warnings: readonly string[];
} {
  const hasScript = listSearchPath(imageConfig).some((folder) => tree.exists(`${folder.slice(1)}/run.sh`));
  const hasCommand = imageConfig.entrypoint.length + imageConfig.cmd.length > 0;
  if (!hasScript || !hasCommand) return { isTaken: hasScript, warnings: [] };
  const taken = exports.isPresent
    ? 'run.sh, because the image has /exports.'
    : 'the Entrypoint and Cmd, because the image has no /exports.';
  return {
    isTaken: exports.isPresent,
    warnings: [`The image has run.sh, and an Entrypoint or Cmd: the service starts ${taken}`],
  };
}
