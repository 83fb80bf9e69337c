/** Refuses an update to an image for another machine before the service stops. */
import { AtomicError } from '../../base/errors.ts';
import { findText, listFolder } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { readNamedPlatform } from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { formatPlatform, suitsPlatform } from '../../image/platform.ts';
import { hasConfig, readImageConfig } from '../../store/image-files.ts';
import { findMachinePlatform } from '../../store/pull/check-platform.ts';

/** Processors whose kernels run the programs of another one without an emulator, as a rule. */
const alsoRuns: Readonly<Record<string, string>> = { amd64: '386', arm64: 'arm' };
/** Where the kernel lists the emulators of programs (binfmt_misc). */
const formats = '/proc/sys/fs/binfmt_misc';
/** The first bytes of an ELF program, in the words of that list. */
const programStart = 'magic 7f454c46';

/**
 * A machine with emulators may run the image. An image without a configuration is not judged.
 *
 * @throws MANIFEST_UNSUPPORTED
 */
export async function requireOwnPlatform(host: Host, name: string, image: StoredImage): Promise<void> {
  const { configDigest: digest, reference } = image;
  if (digest === undefined || !hasConfig(host.locations.repository, { digest })) return;
  const named = readNamedPlatform(await readImageConfig(host, image));
  const machine = findMachinePlatform();
  const isNative =
    suitsPlatform(named, machine) || named.architecture === (alsoRuns[machine.architecture] ?? '');
  if (isNative || (await hasEmulator())) return;
  const [own, wanted] = [formatPlatform(named), formatPlatform(machine)];
  throw new AtomicError(
    'MANIFEST_UNSUPPORTED',
    `updating ${name}: the image ${reference} is for ${own}; this machine is ${wanted}, and has no emulator`,
    { hint: `Use an image for ${wanted}, or register an emulator for ${own} (binfmt_misc).` },
  );
}

async function hasEmulator(): Promise<boolean> {
  for (const { name } of await listFolder(formats)) {
    if (name === 'register' || name === 'status') continue;
    if ((await findText(`${formats}/${name}`))?.includes(programStart)) return true;
  }
  return false;
}
