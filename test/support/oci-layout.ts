/** Writes built images as OCI image layouts, which programs read as `oci:FOLDER:TAG`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Blob, type BuiltImage, type BuiltIndex, listBlobs } from './oci-image.ts';

interface LayoutIndex {
  readonly schemaVersion: 2;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Adds `artifact` to the layout in `folder` (made when missing) under `tag`, instead of an earlier one with that tag.
 *
 * @returns the reference, `oci:FOLDER:TAG`
 */
export async function writeLayout(
  folder: string,
  artifact: BuiltImage | BuiltIndex,
  tag = 'latest',
): Promise<string> {
  const manifests = artifact.type === 'image' ? [] : artifact.images.map((image) => image.manifest);
  for (const blob of [...listBlobs(artifact), ...manifests, artifact.manifest]) await writeBlob(folder, blob);
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion": "1.0.0"}');
  const others = (await readIndex(folder)).manifests.filter(
    ({ annotations }) => annotations[REF_NAME] !== tag,
  );
  const { mediaType, digest, size } = artifact.manifest;
  const index: LayoutIndex = {
    schemaVersion: 2,
    manifests: [...others, { mediaType, digest, size, annotations: { [REF_NAME]: tag } }],
  };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  return `oci:${folder}:${tag}`;
}

/** Where the layout in `folder` keeps the blob `digest` (`sha256:HEX`). */
export function layoutBlobPath(folder: string, digest: string): string {
  return join(folder, 'blobs', ...digest.split(':'));
}

async function writeBlob(folder: string, blob: Blob): Promise<void> {
  const path = layoutBlobPath(folder, blob.digest);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, blob.data);
}

async function readIndex(folder: string): Promise<LayoutIndex> {
  try {
    return JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as LayoutIndex;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { schemaVersion: 2, manifests: [] };
    throw error;
  }
}
