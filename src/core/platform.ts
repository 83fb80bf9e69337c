import { AtomicError } from './errors.ts';
import type { Platform } from './image.ts';

const PART = /^[a-z0-9][a-z0-9._-]*$/;

/**
 * @param text `OS/ARCH` or `OS/ARCH/VARIANT`, in the words of OCI
 * @throws BAD_VALUE
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, architecture, variant, ...more] = parts;
  if (
    os === undefined ||
    architecture === undefined ||
    more.length > 0 ||
    !parts.every((part) => PART.test(part))
  ) {
    throw new AtomicError(
      'BAD_VALUE',
      `Invalid platform ${JSON.stringify(text)}: the form is OS/ARCH[/VARIANT]`,
      {
        hint: 'For example linux/arm64 or linux/arm/v7.',
      },
    );
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
