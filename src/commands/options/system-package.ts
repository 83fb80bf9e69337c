import { AtomicError } from '../../base/errors.ts';

/**
 * Checks `--system-package`. `auto` and `no` mean the same here, because no rpm is ever built.
 *
 * @throws BAD_VALUE for `build` and `yes`, and for anything else in the words of compatibility N-08
 */
export function checkSystemPackage(mode: string | undefined): void {
  if (mode === undefined || mode === 'auto' || mode === 'no') return;
  if (mode === 'build' || mode === 'yes') {
    throw new AtomicError('BAD_VALUE', `--system-package=${mode}: building an rpm is not supported`, {
      hint: 'Write --system-package=no, or leave it out.',
    });
  }
  throw new AtomicError(
    'BAD_VALUE',
    "Invalid --system-package mode.  Accepted values: 'auto', 'build', 'no', 'yes'",
    { hint: "Of these only 'auto' and 'no' are supported." },
  );
}
