/** The text of `config.json` of a new deployment, from whatever the image has (compatibility E-01 to E-03). */

import { hostNetworkFiles } from '../core/default-mounts.ts';
import { buildDefaultRuntimeConfig, listSearchPath } from '../core/default-runtime-config.ts';
import type { ImageConfig } from '../core/image-config.ts';
import { checkInstalledRoot, parseRuntimeConfig, type RuntimeConfig } from '../core/runtime-config.ts';
import { substituteTemplate, type TemplateValues } from '../core/template.ts';
import { resolveUser } from '../core/user-lookup.ts';
import { listExisting } from '../host/existing-paths.ts';
import type { ImageTree } from '../store/image-files.ts';
import type { ImageExports } from './read-exports.ts';

const maxUserFileBytes = 1024 * 1024;

export interface RenderedConfig {
  readonly text: string;
  readonly config: RuntimeConfig;
}

/**
 * Makes `config.json` and checks it (compatibility C-20). Changes nothing.
 *
 * @param path where the file will be; how errors call it
 * @throws TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID
 */
export async function readRuntimeConfig(
  tree: ImageTree,
  exports: ImageExports,
  imageConfig: ImageConfig,
  values: TemplateValues,
  path: string,
): Promise<RenderedConfig> {
  const text = await readConfigText(tree, exports, imageConfig, values);
  const config = parseRuntimeConfig(text, path);
  checkInstalledRoot(config, path);
  return { text, config };
}

async function readConfigText(
  tree: ImageTree,
  exports: ImageExports,
  imageConfig: ImageConfig,
  values: TemplateValues,
): Promise<string> {
  if (exports.config !== undefined) return exports.config.text;
  const template = exports.configTemplate;
  if (template !== undefined) return substituteTemplate(template.text, values, template.file);
  const readUserFile = (file: string): string => tree.readFile(file, maxUserFileBytes)?.toString() ?? '';
  return buildDefaultRuntimeConfig({
    hasRunScript: listSearchPath(imageConfig).some((folder) => tree.exists(`${folder.slice(1)}/run.sh`)),
    imageConfig,
    user: resolveUser(imageConfig.user, {
      passwd: readUserFile('etc/passwd'),
      group: readUserFile('etc/group'),
    }),
    hostFiles: await listExisting(hostNetworkFiles),
  });
}
