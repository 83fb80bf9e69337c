import { arch } from 'node:os';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { readNamedPlatform } from '../../image/configuration-blob.ts';
import type { Platform } from '../../image/image.ts';
import { formatPlatform, suitsPlatform } from '../../image/platform.ts';

/** Names of processors in Node that differ from those of images. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/**
 * Checks that an image is for the requested platform. Without a request, an image for another platform than this machine only
 * causes a warning, because an emulator may run it.
 *
 * @param config text of the image's configuration
 * @param asked platform of the option `--platform`
 * @throws AtomicError MANIFEST_UNSUPPORTED when the image is for another platform than `asked`
 */
export function checkPlatform(host: Host, config: string, asked: Platform | undefined): void {
  const named = readNamedPlatform(config);
  const wanted = asked ?? findMachinePlatform();
  if (suitsPlatform(named, wanted)) return;
  const own = formatPlatform(named);
  if (asked === undefined) {
    const text = `The image is for ${own}; this machine is ${formatPlatform(wanted)}.`;
    host.report({ kind: 'warning', text });
    return;
  }
  throw new AtomicError(
    'MANIFEST_UNSUPPORTED',
    `the image is for ${own}, not for ${formatPlatform(asked)}; nothing was stored`,
    { hint: 'Leave --platform out to take this image, or choose one that is made for that platform.' },
  );
}

/** @returns the platform of this machine as images name it, without a variant */
export function findMachinePlatform(): Platform {
  const name = arch();
  return { os: 'linux', architecture: ARCHITECTURES[name] ?? name };
}
