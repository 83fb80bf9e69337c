/** Stores images and makes containers as the original tool did, with OSTree's own program (compatibility O-11, S-01). */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { formatBlobRef, formatImageRef } from '../../../src/image/ref-name.ts';
import type { BuiltImage } from '../oci-image.ts';
import type { TemporaryFolder } from '../temporary.ts';
import { ostree, type StoreFolder } from './ostree-cli.ts';

/** A sandbox, or a host with a folder to work in. */
export interface OriginalStore extends StoreFolder {
  readonly folder: Pick<TemporaryFolder, 'join'>;
  readonly locations: { readonly repository: string; readonly checkouts: string };
}

export interface OriginalOptions {
  /** Contents of `signature-1` and so on. */
  readonly signatures?: readonly string[];
  /** As skopeo before the end of 2017: layers that do not say what they inflate to. */
  readonly hasOldLayers?: boolean;
  /** With the names of the entries of each layer, as far as the merge reads the record of tar-split. */
  readonly hasRecords?: boolean;
  /** The text of the manifest, in place of that of the image. */
  readonly manifest?: string;
}

/**
 * Each layer a branch with its whiteouts as files, the configuration a file, the image a commit with the manifest alone.
 *
 * @param image of gzip layers
 * @returns checksum of the image's commit
 */
export function storeAsOriginal(
  store: OriginalStore,
  reference: string,
  image: BuiltImage,
  { signatures = [], hasOldLayers = false, hasRecords = false, manifest }: OriginalOptions = {},
): string {
  const folder = store.folder.join(`original-${createHash('sha256').update(reference).digest('hex')}`);
  mkdirSync(store.locations.repository, { recursive: true });
  ostree(store, 'init', '--mode=bare');
  for (const [index, layer] of image.layers.entries()) {
    const tree = `${folder}/layer-${index}/root`;
    mkdirSync(tree, { recursive: true });
    const archive = gunzipSync(layer.data);
    execFileSync('tar', ['-x', '-C', tree, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-p'], {
      input: archive,
    });
    const digest = createHash('sha256').update(archive).digest('hex');
    commit(store, formatBlobRef(layer.digest), tree, [
      ['docker.size', String(layer.size)],
      ...(hasOldLayers
        ? []
        : ([
            ['docker.uncompressed_size', String(archive.length)],
            ['docker.uncompressed_digest', `sha256:${digest}`],
          ] as const)),
      ...(hasRecords ? [['tarsplit.output', recordNames(archive)] as const] : []),
    ]);
  }
  const config = writeFiles(`${folder}/config`, { content: image.config.data });
  commit(store, formatBlobRef(image.config.digest), config, [['docker.size', String(image.config.size)]]);
  const text = Buffer.from(manifest ?? image.manifest.data);
  const files = writeFiles(`${folder}/manifest`, {
    'manifest.json': text,
    ...Object.fromEntries(signatures.map((text, index) => [`signature-${index + 1}`, Buffer.from(text)])),
  });
  return commit(store, formatImageRef(reference), files, [
    ['docker.manifest', text.toString()],
    // The versions that stored other kinds of manifests did not write it.
    ...(manifest === undefined ? [['docker.digest', image.manifest.digest] as const] : []),
    ['signatures', String(signatures.length)],
  ]);
}

/**
 * Makes `CHECKOUTS/NAME.0` layer over layer, as the original did.
 *
 * @returns its root filesystem
 */
export function deployAsOriginal(
  store: OriginalStore,
  name: string,
  from: { readonly reference: string; readonly commit: string; readonly image: BuiltImage },
): string {
  const folder = `${store.locations.checkouts}/${name}.0`;
  mkdirSync(`${folder}/rootfs`, { recursive: true, mode: 0o755 });
  for (const { digest } of from.image.layers) {
    ostree(store, 'checkout', '-H', '--union', '--whiteouts', formatBlobRef(digest), `${folder}/rootfs`);
  }
  const info = {
    image: from.reference,
    revision: from.image.manifest.digest.slice('sha256:'.length),
    'ostree-commit': from.commit,
    created: 1_510_000_000,
    values: { NAME: name },
    'has-container-service': true,
    'installed-files': [],
    'installed-files-checksum': {},
    remote: null,
    runtime: '/bin/runc',
  };
  writeFileSync(`${folder}/info`, JSON.stringify(info));
  symlinkSync(folder, `${store.locations.checkouts}/${name}`);
  return `${folder}/rootfs`;
}

function recordNames(archive: Uint8Array): string {
  const names = execFileSync('tar', ['-t'], { input: archive, encoding: 'utf8' }).trimEnd().split('\n');
  const lines = names.map((name) => JSON.stringify({ type: 1, name, payload: null }));
  return gzipSync(`${lines.join('\n')}\n`).toString('base64');
}

/** The parent of the original's commits is a checksum of zeros, which no commit has. */
function commit(
  store: OriginalStore,
  ref: string,
  folder: string,
  metadata: readonly (readonly [string, string])[],
): string {
  const strings = metadata.map(([key, value]) => `--add-metadata-string=${key}=${value}`);
  const parent = `--parent=${'0'.repeat(64)}`;
  return ostree(store, 'commit', `--branch=${ref}`, parent, `--tree=dir=${folder}`, ...strings).trim();
}

function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, data] of Object.entries(files)) writeFileSync(`${folder}/${name}`, data);
  return folder;
}
