import { AtomicError } from '../base/errors.ts';
import type { Platform } from './image.ts';

/** What the kernel calls processors that images call otherwise. */
const KERNEL_WORDS: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  i386: '386',
  i686: '386',
  armv7l: 'arm/v7',
  armv6l: 'arm/v6',
};

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
  const word = Object.hasOwn(KERNEL_WORDS, architecture) ? KERNEL_WORDS[architecture] : undefined;
  if (word !== undefined) {
    throw new AtomicError('BAD_VALUE', `Invalid platform ${JSON.stringify(text)}: images say ${word}`, {
      hint: `Write ${os}/${word}.`,
    });
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
