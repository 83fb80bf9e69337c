import { arch } from 'node:os';
import type { Platform } from '../image/image.ts';

/** Words of Node for processors that images call otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** The platform of this machine in the words of images, without a variant. */
export function findMachinePlatform(): Platform {
  const name = arch();
  return { os: 'linux', architecture: ARCHITECTURES[name] ?? name };
}
