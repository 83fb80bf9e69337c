import { arch } from 'node:os';
import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import type { Platform } from '../../image/image.ts';
import { formatPlatform, readNamedPlatform, suitsPlatform } from '../../image/platform.ts';

/** Names of processors in Node that differ from those of images. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/**
 * Looks whether an image is for the platform that a person asked for. For a platform that nobody asked for there is a
 * warning only: a machine may run others through an emulator.
 *
 * @param config the image's configuration
 * @param asked with `--platform`
 * @throws AtomicError MANIFEST_UNSUPPORTED when it is for another platform than was asked for
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
function findMachinePlatform(): Platform {
  const name = arch();
  return { os: 'linux', architecture: ARCHITECTURES[name] ?? name };
}
