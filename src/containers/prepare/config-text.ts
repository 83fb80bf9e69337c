/**
 * Builds the text of `config.json` of a new deployment, from a file, a template or the defaults (compatibility E-01 to
 * E-03).
 */

import { listExisting } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import { resolveUser } from '../../image/user-lookup.ts';
import type { ImageTree } from '../../store/image-files.ts';
import type { DeploymentPaths } from '../deployment.ts';
import {
  checkCommand,
  checkInstalledRoot,
  checkMountNamespace,
  listPrivilegeWarnings,
} from '../render/config/check-runtime-config.ts';
import { hostNetworkFiles } from '../render/config/default-mounts.ts';
import { buildDefaultRuntimeConfig, listSearchPath } from '../render/config/default-runtime-config.ts';
import { checkDestinations } from '../render/config/mount-destinations.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../render/config/runtime-config.ts';
import { applyToImage, type CommandChanges } from '../render/options/apply-options.ts';
import type { ServiceChanges } from '../render/options/parse-options.ts';
import { substituteTemplate, type TemplateValues } from '../render/values/template.ts';
import { type ConfigChanges, changeConfig, changesConfig, nameOptionMounts } from './change-config.ts';
import { checkMountSources } from './check-mount-sources.ts';
import { type ImageExports, isRunByRuntime } from './read-exports.ts';

export const MAX_USER_FILE_BYTES = 1024 * 1024;

interface CheckedConfig {
  readonly text: string;
  readonly config: RuntimeConfig;
  /** Warnings about permissions of the service that a person would not expect. */
  readonly warnings: readonly string[];
}

export interface RenderedConfig extends CheckedConfig {
  /** The text before the changes of the person. */
  readonly unchanged: string;
}

interface ConfigSource {
  readonly tree: ImageTree;
  readonly exports: ImageExports;
  readonly imageConfig: ImageConfig;
  readonly values: TemplateValues;
}

interface ChangedSource extends ConfigSource {
  readonly changed: ConfigChanges;
}

interface CheckedText extends Pick<ConfigSource, 'tree' | 'exports'> {
  readonly text: string;
  /** The options that are applied to the text. */
  readonly changes?: ServiceChanges;
}

/**
 * Builds `config.json` and checks it (compatibility C-20; docs/security.md lists the checks). Changes nothing.
 *
 * @param deployment folder of the deployment
 * @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID
 */
export async function readRuntimeConfig(
  host: Host,
  source: ChangedSource,
  deployment: DeploymentPaths,
): Promise<RenderedConfig> {
  const { changed } = source;
  const unchanged = await readConfigText(source, changed.changes);
  const text = changesConfig(changed) ? changeConfig(unchanged, deployment.config, changed) : unchanged;
  return {
    ...checkRenderedConfig(host, { ...source, text, changes: changed.changes }, deployment),
    unchanged,
  };
}

/** Checks a rendered `config.json`. @throws CONFIG_INVALID; BAD_VALUE for a mount of an option */
export function checkRenderedConfig(
  host: Host,
  { tree, exports, text, changes }: CheckedText,
  deployment: Pick<DeploymentPaths, 'folder' | 'config'>,
): CheckedConfig {
  const path = deployment.config;
  const parsed = parseRuntimeConfig(text, path);
  const config = changes === undefined ? parsed : nameOptionMounts(parsed, changes);
  // Without a service the deployment has no root filesystem.
  if (exports.manifest.noContainerService) return { text, config, warnings: [] };
  if (isRunByRuntime(exports)) checkCommand(config, path);
  checkInstalledRoot(config, path);
  checkMountNamespace(config, path);
  const sources = checkMountSources(host, config, deployment.folder, path);
  checkDestinations(config, (imagePath) => tree.look(imagePath), sources.kinds, path);
  return { text, config, warnings: [...listPrivilegeWarnings(config), ...sources.warnings] };
}

/** The text of `config.json`, not yet checked; the command of the defaults is that of the options. @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID */
export async function readConfigText(
  { tree, exports, imageConfig: ofImage, values }: ConfigSource,
  changes: CommandChanges = {},
): Promise<string> {
  if (exports.config !== undefined) return exports.config.text;
  const template = exports.configTemplate;
  if (template !== undefined) return substituteTemplate(template.text, values, template.file);
  const readUserFile = (file: string): string => tree.readFile(file, MAX_USER_FILE_BYTES)?.toString() ?? '';
  const hasRunScript = listSearchPath(ofImage).some((folder) => tree.exists(`${folder.slice(1)}/run.sh`));
  const { imageConfig, ...command } = applyToImage({ imageConfig: ofImage, hasRunScript }, changes);
  return buildDefaultRuntimeConfig({
    ...command,
    imageConfig,
    user: resolveUser(imageConfig.user, {
      passwd: readUserFile('etc/passwd'),
      group: readUserFile('etc/group'),
    }),
    hostFiles: await listExisting(hostNetworkFiles),
  });
}
