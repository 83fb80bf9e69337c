/** The images in an archive or a layout: `manifest.json` of `docker save`, `index.json` of OCI layouts. */
import { AtomicError } from '../base/errors.ts';
import { isJsonObject, type JsonObject, parseJson, parseJsonObject } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import { isFullName, type ManifestDescriptor } from './image-location.ts';
import { MAX_MANIFEST_BYTES } from './manifest.ts';
import { splitName } from './reference.ts';

/** The largest number of images that an error names. */
const MAX_SHOWN = 20;
const MAX_NAME = 200;
const TAG_ANNOTATION = 'org.opencontainers.image.ref.name';
const NAME_ANNOTATION = 'io.containerd.image.name';

interface ArchivedImage {
  readonly index: number;
  /** `RepoTags` as the archive has them. */
  readonly names: readonly string[];
}

interface LayoutImage {
  readonly tag: string | undefined;
  readonly name: string | undefined;
  readonly described: ManifestDescriptor | undefined;
}

/**
 * Parses the index of an archive of `docker save`.
 *
 * @param text `manifest.json` of the archive
 * @param path the archive, for messages
 * @throws AtomicError ARCHIVE_INVALID
 */
export function parseArchiveIndex(text: string, path: string): readonly ArchivedImage[] {
  const reject = rejectAt(path, 'manifest.json');
  const images = parseDocument(text, reject);
  if (!Array.isArray(images) || images.length === 0) throw reject('it lists no images');
  return images.map((image: unknown, index) => {
    if (!isJsonObject(image)) throw reject('an image is not an object');
    const names = image.RepoTags ?? [];
    if (!isStringArray(names)) throw reject('"RepoTags" is not a list of names');
    return { index, names };
  });
}

/**
 * Parses the index of an OCI layout (OCI image specification, "Image Layout").
 *
 * @param text `index.json` of the layout
 * @param path the layout, for messages
 * @throws AtomicError ARCHIVE_INVALID
 */
export function parseLayoutIndex(text: string, path: string): readonly LayoutImage[] {
  const reject = rejectAt(path, 'index.json');
  const { manifests } = parseJsonObject(text, MAX_MANIFEST_BYTES, reject);
  if (!Array.isArray(manifests) || manifests.length === 0) throw reject('it lists no images');
  return manifests.map((manifest: unknown) => {
    if (!isJsonObject(manifest)) throw reject('a manifest is not an object');
    const annotations = isJsonObject(manifest.annotations) ? manifest.annotations : {};
    const tag = readText(annotations[TAG_ANNOTATION]);
    const candidates = [readText(annotations[NAME_ANNOTATION]), tag];
    const name = candidates.find((candidate) => candidate !== undefined && isFullName(candidate));
    return { tag, name, described: readDescriptor(manifest) };
  });
}

function readDescriptor({ digest, size }: JsonObject): ManifestDescriptor | undefined {
  if (typeof digest !== 'string') return undefined;
  return { digest, size: typeof size === 'number' ? size : undefined };
}

/** The archive or layout of a choice, for messages. */
export interface ImagePlace {
  /** The prefix as written, without colon: `dockertar`. */
  readonly prefix: string;
  readonly path: string;
}

/**
 * Chooses an image of an archive by its name. Docker leaves out the name of its own registry; other tools write it.
 *
 * @param choice `NAME[:TAG]`; `@N` for the Nth, from 0; `undefined` for the only one
 * @throws AtomicError BAD_REFERENCE when there are several images and no choice, IMAGE_NOT_FOUND; both list the images
 */
export function chooseArchived(
  images: readonly ArchivedImage[],
  choice: string | undefined,
  place: ImagePlace,
): { readonly index: number; readonly name: string | undefined } {
  const shown = images.flatMap(({ index, names }) => (names.length === 0 ? [`@${index}`] : names));
  if (choice === undefined) {
    const [only, ...others] = images;
    if (only === undefined || others.length > 0) throw severalImages(place, shown);
    return { index: only.index, name: only.names[0] };
  }
  const matches = images.flatMap(({ index, names }) => [
    ...names.map((name) => ({ index, name, key: expandName(name) })),
    { index, name: names[0], key: `@${index}` },
  ]);
  const wanted = choice.startsWith('@') ? choice : expandName(choice);
  const found = matches.find(({ key }) => key === wanted) ?? findOnlyTag(matches, choice);
  if (found === undefined) throw imageNotFound(place, choice, shown);
  return { index: found.index, name: found.name };
}

/**
 * Chooses an image of a layout by the annotation that names it. Without a choice it is the only image, or the only
 * image with a name: attestations in the same layout have no name.
 *
 * @throws AtomicError as `chooseArchived`
 */
export function chooseOfLayout(
  images: readonly LayoutImage[],
  choice: string | undefined,
  place: ImagePlace,
): LayoutImage {
  const named = images.filter(({ tag }) => tag !== undefined);
  const shown = named.flatMap(({ tag }) => tag ?? []);
  if (choice === undefined) {
    const [only, ...others] = named.length === 0 ? images : named;
    if (only !== undefined && others.length === 0) return only;
    throw named.length === 0 ? noNames(place, images.length) : severalImages(place, shown);
  }
  const found = images.find(({ tag }) => tag === choice);
  if (found !== undefined) return found;
  if (named.length > 0) throw imageNotFound(place, choice, shown);
  throw imageNotFound(
    place,
    choice,
    shown,
    images.length === 1
      ? 'It holds one image without a name: leave the name out.'
      : `It holds ${images.length} images without a name. ${formatNamingHint(place)}`,
  );
}

/** A name without a tag means the only image of that name, with any tag. */
function findOnlyTag<T extends { readonly key: string }>(
  matches: readonly T[],
  choice: string,
): T | undefined {
  if (hasTag(choice) || choice.startsWith('@')) return undefined;
  const { repository } = splitName(expandName(choice));
  const [only, ...others] = matches.filter(({ key }) => splitName(key).repository === repository);
  return others.length === 0 ? only : undefined;
}

function expandName(name: string): string {
  const tagged = hasTag(name) ? name : `${name}:latest`;
  return tagged.replace(/^docker\.io\//, '').replace(/^library\//, '');
}

function hasTag(name: string): boolean {
  return splitName(name).tag !== undefined;
}

function severalImages({ prefix, path }: ImagePlace, names: readonly string[]): AtomicError {
  const [example = 'NAME'] = names;
  return new AtomicError(
    'BAD_REFERENCE',
    `reading ${toPrintable(path)}: it holds several images: ${formatNames(names)}`,
    {
      hint: `Name one of them, for example ${prefix}:${toPrintable(`${path}:${example}`, MAX_NAME)}`,
      details: { path, names: names.map((name) => toPrintable(name, MAX_NAME)) },
    },
  );
}

/** skopeo 1.9 can read an image without a name only when it is the only image. */
function noNames(place: ImagePlace, count: number): AtomicError {
  return new AtomicError(
    'BAD_REFERENCE',
    `reading ${toPrintable(place.path)}: it holds ${count} images without a name, and none of them can be chosen`,
    { hint: formatNamingHint(place), details: { path: place.path, names: [] } },
  );
}

function formatNamingHint({ prefix, path }: ImagePlace): string {
  const destination = `${prefix}:${toPrintable(path, MAX_NAME)}:TAG`;
  return `Make it again with a name; for all platforms: skopeo copy --all SOURCE ${destination}`;
}

function imageNotFound(
  { path }: ImagePlace,
  choice: string,
  names: readonly string[],
  hint = `It holds ${formatNames(names)}.`,
): AtomicError {
  return new AtomicError(
    'IMAGE_NOT_FOUND',
    `reading ${toPrintable(path)}: it holds no image ${toPrintable(choice, MAX_NAME)}`,
    { hint, details: { path, names: names.map((name) => toPrintable(name, MAX_NAME)) } },
  );
}

function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, MAX_SHOWN).map((name) => toPrintable(name, MAX_NAME));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function rejectAt(path: string, file: string): (problem: string) => AtomicError {
  return (problem) =>
    new AtomicError('ARCHIVE_INVALID', `reading ${file} of ${toPrintable(path)}: ${toPrintable(problem)}`, {
      hint: 'The file is damaged, or no image tool has made it; make it again.',
    });
}

function parseDocument(text: string, reject: (problem: string) => AtomicError): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw reject('it is not JSON');
    throw error;
  }
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
