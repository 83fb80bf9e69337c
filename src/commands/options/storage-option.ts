import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

/** `--storage`, as every verb of the original took it. OSTree is the only storage. */
export const storageOption = {
  storage: {
    kind: 'value',
    label: 'ostree',
    isCompatibility: true,
    description: 'The storage; ostree is the only one.',
  },
} as const;

/** Storages of the original that this program does not have. */
const otherStorages = ['docker', 'containers-storage'];

/** @throws BAD_VALUE for another storage than `ostree`, in the words of the original (compatibility P-01) */
export function checkStorage(storage: string | undefined): void {
  if (storage === undefined || storage === 'ostree') return;
  throw new AtomicError(
    'BAD_VALUE',
    otherStorages.includes(storage)
      ? `The storage backend '${storage}' is not available.  Try with an alternate storage with --storage if available.`
      : `Unable to associate string '${toPrintable(storage, 80)}' with backend`,
    { hint: "'ostree' is the only storage: write --storage=ostree, or leave it out." },
  );
}
