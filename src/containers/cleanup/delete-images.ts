/** Deletes names of images. The objects stay until a prune, and as long as a container needs them. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { removeImageNames } from '../../ostree/write-refs.ts';
import { withSharedStore } from '../../store/access/store-lock.ts';
import { type ImageName, listImageNames, selectImageNames } from '../../store/image-names.ts';
import { findImageUsers } from '../image-users.ts';
import type { UnreadableDeployment } from '../list-deployments.ts';
import { buildUnreadable } from '../unreadable-deployments.ts';
import { surveyStore } from './survey-store.ts';

export type ImageSelection =
  | { readonly kind: 'all' }
  /** Names or beginnings of ids, as typed. */
  | { readonly kind: 'written'; readonly words: readonly string[] };

/** The effects of a deletion. */
export interface ImageDeletion {
  /** The names to delete, sorted, without duplicates. */
  readonly names: readonly ImageName[];
  /** The last names of images that containers use, with those containers. */
  readonly used: readonly { readonly reference: string; readonly containers: readonly string[] }[];
  /** When an image loses its last name: the deployments whose image is unknown, and could be this image. */
  readonly unreadable: readonly UnreadableDeployment[];
}

/**
 * Finds the names to delete, and the containers that use their images. An image counts as used only when it would lose
 * all names: while one name stays, a prune keeps the image.
 *
 * @throws AtomicError IMAGE_NOT_FOUND, BAD_REFERENCE
 */
export async function planDeletion(host: Host, selection: ImageSelection): Promise<ImageDeletion> {
  const all = listImageNames(host);
  const wanted = new Set(
    selection.kind === 'all'
      ? all
      : selection.words.flatMap((written) => [...selectImageNames(all, written)]),
  );
  const names = all.filter((name) => wanted.has(name));
  const staying = all.filter((name) => !wanted.has(name));
  const { folders } = await surveyStore(host);
  const installed = folders.flatMap((folder) => folder.installed);
  const unreadable = folders.flatMap((folder) => folder.unreadable);
  const last = names.filter((name) => !staying.some((other) => isSameImage(other, name)));
  const used = last
    .map((name) => ({ reference: name.reference, containers: findImageUsers(installed, name) }))
    .filter(({ containers }) => containers.length > 0);
  return { names, used, unreadable: last.length > 0 ? unreadable : [] };
}

/** @throws AtomicError IMAGE_IN_USE, naming the images and the containers; CONTAINER_DAMAGED */
export async function requireUnused(host: Host, { used, unreadable }: ImageDeletion): Promise<void> {
  if (used.length > 0) {
    const list = used.map(
      ({ reference, containers }) => `${toPrintable(reference)} (${containers.join(', ')})`,
    );
    throw new AtomicError('IMAGE_IN_USE', `deleting images: containers use ${list.join(', ')}`, {
      hint: 'Uninstall the containers first, or repeat with -f: the containers keep their files and continue to run.',
      details: { used },
    });
  }
  if (unreadable.length > 0) {
    throw await buildUnreadable(host, unreadable, {
      step: 'deleting images',
      consequence: 'Nothing was deleted, because its image is unknown (-f deletes anyway)',
    });
  }
}

/**
 * Deletes the names one by one, which needs no space. After a crash the remaining names are still there.
 *
 * @param deletion the effects that the person confirmed; a container that was installed since keeps its files, as with -f
 * @throws AtomicError IMAGE_NOT_FOUND when a name no longer exists or names another image now: then nothing was deleted
 */
export async function applyDeletion(host: Host, { names }: ImageDeletion): Promise<void> {
  if (names.length === 0) return;
  await withSharedStore(host, async () => {
    const now = new Map(listImageNames(host).map((name) => [name.reference, name]));
    const changed = names.find(({ reference, commit }) => {
      const current = now.get(reference);
      return current === undefined || current.commit !== commit;
    });
    if (changed !== undefined) {
      throw new AtomicError(
        'IMAGE_NOT_FOUND',
        `deleting ${toPrintable(changed.reference)}: another command has changed it meanwhile`,
        { hint: 'Nothing was deleted. See `atomic images list`, and repeat the command.' },
      );
    }
    throwIfInterrupted(host);
    await removeImageNames(
      host,
      names.map(({ reference }) => reference),
    );
  });
}

function isSameImage(one: ImageName, other: ImageName): boolean {
  return (
    (one.id !== undefined && one.id === other.id) || (one.commit !== undefined && one.commit === other.commit)
  );
}
