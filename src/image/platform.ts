/** Platforms: the option of a person, and whether an image fits. */
import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Platform } from './image.ts';

/** The names that the kernel has for processors, and those in images. */
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
 * Parses the value of `--platform`.
 *
 * @param text `OS/ARCH` or `OS/ARCH/VARIANT`, in the words of OCI
 * @throws AtomicError BAD_VALUE
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

/** The platform in a configuration; any part may be absent. */
export type NamedPlatform = { readonly [Part in keyof Platform]?: string };

/** Whether an image fits a platform. An image without an architecture fits every platform. */
export function suitsPlatform(image: NamedPlatform, wanted: Platform): boolean {
  if (image.architecture === undefined) return true;
  if (image.architecture !== wanted.architecture) return false;
  if (image.os !== undefined && image.os !== wanted.os) return false;
  return suitsVariant(image.variant, wanted.variant);
}

/** A processor runs programs for its older variants: `v7` of ARM runs `v6`; containers/image chooses from lists so. */
function suitsVariant(image: string | undefined, wanted: string | undefined): boolean {
  if (image === undefined || wanted === undefined || image === wanted) return true;
  const [own, asked] = [image, wanted].map((variant) => /^v([0-9]+)$/.exec(variant)?.[1]);
  return own !== undefined && asked !== undefined && Number(own) <= Number(asked);
}

/** `linux/arm/v7`, printable. */
export function formatPlatform({ os, architecture, variant }: NamedPlatform): string {
  const parts = [os, architecture, variant].filter((part) => part !== undefined);
  return toPrintable(parts.join('/'), 80);
}
