/** Builds the images of `services.ts` from packages of Debian, as OCI image layouts. Needs root and a mirror. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildImage } from '../../test/support/oci-image.ts';
import { writeLayout } from '../../test/support/oci-layout.ts';
import { type ServiceImage, type ServiceName, services } from './services.ts';

const layersScript = fileURLToPath(new URL('../../scripts/service-layers', import.meta.url));

/**
 * Writes one layout for all images.
 *
 * @returns the reference of each, `oci:FOLDER:NAME`
 */
export async function writeServiceImages(
  folder: string,
  names: readonly ServiceName[],
): Promise<ReadonlyMap<ServiceName, string>> {
  const packages = names.map((name) => `${name}=${services[name].packages.join(',')}`);
  const layers = execFileSync(layersScript, packages, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const base = { tar: readFileSync(`${layers}/base.tar`), compression: 'none' } as const;
  const references = new Map<ServiceName, string>();
  for (const name of names) {
    const { config, files = {} }: ServiceImage = services[name];
    const own = Object.entries(files).map(([path, content]) => ({ path, content }));
    const image = buildImage({
      layers: [
        base,
        { tar: readFileSync(`${layers}/${name}.tar`), compression: 'none' },
        ...(own.length > 0 ? [own] : []),
      ],
      config,
    });
    references.set(name, await writeLayout(folder, image, name));
  }
  return references;
}
