import { AtomicError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../host/host.ts';
import { listMountsOf } from '../store/mount/mount-folder.ts';
import { buildDeploymentFolder, deploymentNumbers } from './deployment.ts';

/**
 * Refuses an operation while `atomic mount` shows the files of a deployment that the operation would remove. The caller
 * holds the container's lock, which a mount takes too.
 *
 * @throws AtomicError DEPLOYMENT_IN_USE {directories}
 */
export async function requireNotShown(host: Host, name: string): Promise<void> {
  const lists = deploymentNumbers.map((number) =>
    listMountsOf(host, buildDeploymentFolder(host.locations, name, number)),
  );
  const directories = (await Promise.all(lists)).flat();
  const [first] = directories;
  if (first === undefined) return;
  const shown = directories.map((directory) => toPrintable(directory));
  throw new AtomicError(
    'DEPLOYMENT_IN_USE',
    `removing the files of ${name}: they are mounted at ${shown.join(', ')}`,
    {
      hint: `Run \`atomic unmount ${toPrintable(first)}\` and repeat the command.`,
      details: { directories },
    },
  );
}
