/** Reads the information about an image that an administrator needs before an install. */
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { StoredImage } from '../../image/image.ts';
import type { ImageSize } from '../../image/image-description.ts';
import { readConfiguration } from '../../store/describe-image.ts';
import { type ImageTree, openImageTree } from '../../store/image-files.ts';
import { measureImage } from '../../store/prune/image-size.ts';
import {
  type ExportsManifest,
  emptyExportsManifest,
  parseExportsManifest,
} from '../render/exports-manifest.ts';
import { type ImageVariables, sortVariables } from '../render/values/image-variables.ts';
import { readTemplates } from './read-exports.ts';
import { type ImageAsks, readImageAsks } from './read-image-asks.ts';

/** The facts that `images info` shows. */
export interface ImageInfo {
  readonly image: StoredImage;
  readonly labels: Readonly<Record<string, string>>;
  readonly variables: ImageVariables;
  readonly asks: ImageAsks;
  readonly size: ImageSize;
}

/** The same limit as for an install. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * @throws AtomicError STORE_CORRUPT, MANIFEST_INVALID, EXPORTS_INVALID for a template that is too long, INTERRUPTED
 */
export async function readImageInfo(host: Host, image: StoredImage): Promise<ImageInfo> {
  const { config } = await readConfiguration(host, image);
  const variables = readVariables(host, image);
  return {
    image,
    labels: config.labels,
    variables,
    asks: await readImageAsks(host, image, config, variables.required),
    size: await measureImage(host, image),
  };
}

/** Variables of all templates in `/exports` (compatibility M-41). */
function readVariables(host: Host, image: StoredImage): ImageVariables {
  const tree = openImageTree(host, image);
  const { defaultValues, variables, warnings } = readManifest(host, image, tree);
  for (const text of warnings) host.report({ kind: 'warning', text });
  return sortVariables(readTemplates(tree), defaultValues, variables);
}

/** With an invalid manifest an install fails, but `images info` still shows the other information. */
function readManifest(host: Host, image: StoredImage, tree: ImageTree): ExportsManifest {
  const text = tree.readFile('exports/manifest.json', MAX_FILE_BYTES)?.toString('utf8');
  if (text === undefined) return emptyExportsManifest;
  try {
    return parseExportsManifest(text, image.reference);
  } catch (error) {
    if (!(error instanceof AtomicError)) throw error;
    host.report({ kind: 'warning', text: error.message });
    return emptyExportsManifest;
  }
}
