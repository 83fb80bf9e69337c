import { AtomicError } from '../base/errors.ts';
import { formatFileName } from '../base/printable.ts';

/** The fault of an entry; the reader adds the place in the archive. */
export class Refusal extends Error {}

/**
 * The error for an archive that must not be unpacked.
 *
 * @param problem the fault, such as `a name with a NUL byte`
 * @param offset place in the archive, in bytes
 * @param name name of the entry, when it is known
 */
export function layerRejected(problem: string, offset: number, name?: Buffer): AtomicError {
  const entry = name === undefined ? '' : `, entry ${formatFileName(name)}`;
  return new AtomicError(
    'LAYER_REJECTED',
    `reading the layer's archive: ${problem} at byte ${offset}${entry}`,
    {
      hint: 'Nothing of this layer was stored. Build and push the image again with a current tool, or ask its author.',
    },
  );
}
