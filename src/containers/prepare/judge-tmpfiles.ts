import { AtomicError } from '../../base/errors.ts';
import type { Host } from '../../host/host.ts';
import { findTmpfilesFault } from '../../host/systemd/systemd-tmpfiles.ts';

/**
 * Otherwise systemd-tmpfiles would carry out the lines before an invalid one. The first line, the marker, is left out.
 */
export async function judgeTmpfiles(host: Host, file: string, tmpfiles: string | undefined): Promise<void> {
  const fault =
    tmpfiles === undefined
      ? undefined
      : await findTmpfilesFault(host, tmpfiles.slice(tmpfiles.indexOf('\n') + 1));
  if (fault === undefined) return;
  throw new AtomicError(
    'TEMPLATE_INVALID',
    `The template file '${file}' makes a file that systemd-tmpfiles refuses: ${fault}`,
    {
      hint: 'Check the template and the values of its variables.',
    },
  );
}
