/**
 * Builds the text of `config.json` of a new deployment, from a file, a template or the defaults (compatibility E-01 to
 * E-03).
 */

import type { Host } from '../../host/host.ts';
import type { ImageConfig } from '../../image/configuration-blob.ts';
import type { ImageTree } from '../../store/image-files.ts';
import type { DeploymentPaths } from '../deployment.ts';
import {
  checkCommand,
  checkInstalledRoot,
  checkMountNamespace,
  listPrivilegeWarnings,
} from '../render/config/check-runtime-config.ts';
import type { PlannedVolume } from '../render/config/image-volumes.ts';
import { checkDestinations } from '../render/config/mount-destinations.ts';
import { parseRuntimeConfig, type RuntimeConfig, rejectConfig } from '../render/config/runtime-config.ts';
import type { ImageChanges } from '../render/options/apply-options.ts';
import type { ServiceChanges } from '../render/options/parse-options.ts';
import type { Secrets } from '../render/secrets/secret-option.ts';
import { addSecretsMount, type SecretsMount } from '../render/secrets/secret-reader.ts';
import { substituteTemplate, type TemplateValues } from '../render/values/template.ts';
import {
  addDefaultFilter,
  type ConfigChanges,
  changeConfig,
  changesConfig,
  nameOptionMounts,
} from './change-config.ts';
import { checkMountSources } from './check-mount-sources.ts';
import { buildDefaultConfig, type DefaultConfig } from './default-config.ts';
import { type ImageExports, isRunByRuntime } from './read-exports.ts';
import type { SeccompFacts } from './read-seccomp.ts';

interface CheckedConfig {
  readonly text: string;
  readonly config: RuntimeConfig;
  /** The volumes of the image; none when it brings its own configuration. */
  readonly volumes: readonly PlannedVolume[];
  /** Warnings about permissions of the service that a person would not expect. */
  readonly warnings: readonly string[];
}

export interface RenderedConfig extends CheckedConfig {
  /** The text before the changes of the person. */
  readonly unchanged: string;
  /** The text without the mount of the secrets, which the person asks for, and not the image. */
  readonly asked: string;
  readonly secrets: SecretsMount | undefined;
}

interface ConfigSource {
  readonly tree: ImageTree;
  readonly exports: ImageExports;
  readonly imageConfig: ImageConfig;
  readonly values: TemplateValues;
}

interface ChangedSource extends ConfigSource {
  readonly changed: ConfigChanges;
  /** Name of the container. */
  readonly name: string;
  readonly secrets: Secrets;
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
  const rendered = await readConfigText(source, changed.seccomp, changed.changes);
  const { text: unchanged, volumes, warnings } = rendered;
  const asked = changesConfig(changed) ? changeConfig(unchanged, deployment.config, changed) : unchanged;
  const secrets = addSecrets(asked, source, deployment.config);
  const { text } = secrets ?? { text: asked };
  const checked = checkRenderedConfig(host, { ...source, text, changes: changed.changes }, deployment);
  return {
    ...{ ...checked, unchanged, asked, secrets, volumes },
    warnings: [...warnings, ...checked.warnings],
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
  if (exports.manifest.noContainerService) return { text, config, volumes: [], warnings: [] };
  if (isRunByRuntime(exports)) checkCommand(config, path);
  checkInstalledRoot(config, path);
  checkMountNamespace(config, path);
  const sources = checkMountSources(host, config, deployment.folder, path);
  checkDestinations(config, (imagePath) => tree.look(imagePath), sources.kinds, path);
  return { text, config, volumes: [], warnings: [...listPrivilegeWarnings(config), ...sources.warnings] };
}

function addSecrets(
  text: string,
  { name, secrets, exports }: ChangedSource,
  path: string,
): SecretsMount | undefined {
  if (Object.keys(secrets).length === 0 || !isRunByRuntime(exports)) return undefined;
  // A key that is there twice would be lost.
  parseRuntimeConfig(text, path);
  return addSecretsMount(text, name, rejectConfig(path));
}

/**
 * Builds the text of `config.json` before patches and options, not yet checked. The defaults have the command of the options
 * and the seccomp filter of this host.
 *
 * @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID, BAD_VALUE, FILE_CONFLICT
 */
export async function readConfigText(
  source: ConfigSource,
  seccomp: SeccompFacts,
  changes: ImageChanges = {},
): Promise<DefaultConfig> {
  const { exports, values } = source;
  if (exports.config !== undefined) return { text: exports.config.text, volumes: [], warnings: [] };
  const template = exports.configTemplate;
  if (template !== undefined) {
    return { text: substituteTemplate(template.text, values, template.file), volumes: [], warnings: [] };
  }
  const built = await buildDefaultConfig(source, changes);
  return { ...built, text: addDefaultFilter(built.text, seccomp) };
}
