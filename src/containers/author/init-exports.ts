/** Writes templates to start an image from: what the default configuration and the default unit take from an image. */
import { lstat, mkdir, unlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { tolerateMissingAsync, withFileErrors } from '../../base/file-error.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { requireFindable } from '../../host/working-directory.ts';
import { emptyImageConfig, type ImageConfig } from '../../image/configuration-blob.ts';
import type { ImageTree } from '../../store/image-files.ts';
import { buildDefaultConfig, partsOfEveryHost } from '../prepare/default-config.ts';
import { buildPreviewValues, type ExportsSubject, previewName } from '../prepare/preview-exports.ts';
import type { PlannedVolume } from '../render/config/image-volumes.ts';
import { emptyExportsManifest } from '../render/exports-manifest.ts';
import { formatTmpfilesPath } from '../render/tmpfiles/tmpfiles.ts';
import { buildUnitToChange } from '../render/unit/default-unit.ts';
import { withImageSubject } from './exports-subject.ts';

/** A service that every image with a shell can run, and that SIGTERM ends although it is process 1. */
const waiting: ImageConfig = {
  ...emptyImageConfig,
  cmd: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1; done"],
};
const emptyTree: ImageTree = {
  readFile: () => undefined,
  exists: () => false,
  look: () => undefined,
  readProgram: () => undefined,
  listDirectory: () => undefined,
};
const noExports = {
  ...{ isPresent: false, manifest: emptyExportsManifest, config: undefined, configTemplate: undefined },
  ...{ serviceTemplate: undefined, tmpfilesTemplate: undefined },
};

const manifest = `${JSON.stringify({ version: '1.0', defaultValues: {} }, undefined, 2)}\n`;

const tmpfilesTemplate = `# The folders of the service on the host: tmpfiles.d(5). The columns are type, path, mode, user, group, age, argument.
d $STATE_DIRECTORY/$NAME 0700 - - -
# Folders that the service sees in place of those of the image. A 'C' line copies the folder of the image while the one of
# the host is missing or empty; later images do not change it. A 'd' line makes an empty folder: files that the image has
# there are hidden. For an image with such files, write: C PATH - - - - $DESTDIR/rootfs/PATH-IN-THE-IMAGE
`;

const unitComment = `# The unit of the service: systemd.service(5). install replaces the variables, and adds lines that remove what a
# killed runtime leaves of the container. The runtime looks for config.json in WorkingDirectory=.
`;

/**
 * Writes the files to `DIR/exports`: all of them or none.
 *
 * @param from a stored image, whose command, user and environment the configuration has
 * @returns the paths of the files
 * @throws FILE_CONFLICT when one of them exists; IMAGE_NOT_FOUND, CONFIG_INVALID for the image; errors of the filesystem
 */
export async function initExports(
  host: Host,
  written: string,
  from: string | undefined,
): Promise<readonly string[]> {
  requireFindable(written);
  const folder = `${resolve(written)}/exports`;
  const contents = await (from === undefined
    ? buildContents(host, {
        label: 'IMAGE',
        tree: emptyTree,
        folder,
        image: { id: '', config: waiting },
        walk: () => [],
      })
    : withImageSubject(host, from, buildContents));
  const files = Object.entries(contents).map(([name, text]) => ({ path: `${folder}/${name}`, text }));
  for (const { path } of files) await requireMissing(path);
  await withFileErrors(`create folder ${toPrintable(folder)}`, () => mkdir(folder, { recursive: true }));
  await writeAll(files);
  return files.map(({ path }) => path);
}

async function requireMissing(path: string): Promise<void> {
  const found = await withFileErrors(`look at ${toPrintable(path)}`, () =>
    tolerateMissingAsync(() => lstat(path)),
  );
  if (found === undefined) return;
  throw new AtomicError('FILE_CONFLICT', `${toPrintable(path)} exists, and nothing was written`, {
    hint: 'Choose another folder, or remove the file.',
  });
}

/** A file that appears meanwhile is not replaced. */
async function writeAll(files: readonly { readonly path: string; readonly text: string }[]): Promise<void> {
  const begun: string[] = [];
  try {
    for (const { path, text } of files) {
      await withFileErrors(`write ${toPrintable(path)}`, async () => {
        await writeFile(path, '', { flag: 'wx' });
        begun.push(path);
        await writeFile(path, text);
      });
    }
  } catch (error) {
    for (const path of begun) await unlink(path);
    throw error;
  }
}

async function buildContents(host: Host, subject: ExportsSubject): Promise<Readonly<Record<string, string>>> {
  const imageConfig = subject.image?.config ?? waiting;
  const values = buildPreviewValues(host, subject, noExports, { name: previewName, set: {} });
  const { text, volumes } = await buildDefaultConfig(
    { tree: subject.tree, exports: noExports, imageConfig, values },
    {},
    partsOfEveryHost,
  );
  return {
    'config.json.template': writeTemplate(text),
    'service.template': `${unitComment}${buildUnitToChange(imageConfig.stopSignal)}`,
    'tmpfiles.template': [tmpfilesTemplate, ...volumes.flatMap(formatVolume)].join(''),
    'manifest.json': manifest,
  };
}

function writeTemplate(text: string): string {
  return text.replaceAll('$', '$$$$').replaceAll(`/var/lib/${previewName}`, '$STATE_DIRECTORY/$NAME');
}

/** A new volume of the default configuration is a copy, too; `missingInside` are made in it. */
function formatVolume({ path, folder, isInImage, missingInside, owner }: PlannedVolume): readonly string[] {
  const formatPlace = (place: string) => writeTemplate(formatTmpfilesPath(place));
  const formatEmpty = (place: string) => `d ${formatPlace(place)} 0755 ${owner.uid} ${owner.gid} -\n`;
  // An argument has escapes, but no quotes.
  const source = `$DESTDIR/rootfs${writeTemplate(path.replace(/[\\%]/g, '$&$&'))}`;
  return [
    isInImage ? `C ${formatPlace(folder)} - - - - ${source}\n` : formatEmpty(folder),
    ...missingInside.map((inner) => formatEmpty(`${folder}${inner.slice(path.length)}`)),
  ];
}
