import { AtomicError } from '../../base/errors.ts';
import { formatCount } from '../../base/format-count.ts';
import type { Host } from '../../host/host.ts';
import { requireSystemAccess } from '../preconditions.ts';
import { adviceForExistingName, parseContainerName } from '../render/container-name.ts';
import { type DataChoice, uninstallContainer } from './uninstall.ts';

/** The error has the exit status 1, with any statuses of the failures. */
const FAILED = 1;

/**
 * Uninstalls containers one by one. A failure does not stop the others.
 *
 * @param names each once
 * @returns the folders with data, which stay
 * @throws as `uninstallContainer` for a single container; otherwise each failure is reported, and the error names all
 *   containers that failed. An invalid name and an interruption end the command at once
 */
export async function uninstallContainers(
  host: Host,
  names: readonly string[],
  data: DataChoice = 'keep',
): Promise<readonly string[]> {
  const [first, ...others] = names;
  if (first === undefined) return [];
  if (others.length === 0) return uninstallContainer(host, first, data);
  for (const name of names) parseContainerName(name, adviceForExistingName);
  await requireSystemAccess(host, 'uninstall');
  const kept: string[] = [];
  const failures: { readonly name: string; readonly error: AtomicError }[] = [];
  for (const name of names) {
    try {
      kept.push(...(await uninstallContainer(host, name, data)));
    } catch (error) {
      if (!(error instanceof AtomicError) || error.code === 'INTERRUPTED') throw error;
      failures.push({ name, error });
      host.report({ kind: 'warning', text: formatFailure(name, error) });
    }
  }
  const [failure] = failures;
  if (failure !== undefined) throw buildFailures(names, failures, failure.error);
  return kept;
}

function formatFailure(name: string, { message, hint }: AtomicError): string {
  return `${name} was not uninstalled: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function buildFailures(
  names: readonly string[],
  failures: readonly { readonly name: string; readonly error: AtomicError }[],
  { code }: AtomicError,
): AtomicError {
  const failed = failures.map(({ name }) => name);
  const done = names.filter((name) => !failed.includes(name));
  return new AtomicError(
    code,
    `uninstalling ${formatCount(names.length, 'container')}: ${failed.join(', ')} failed, ${formatCount(done.length, 'container')} uninstalled`,
    {
      exitStatus: FAILED,
      details: {
        uninstalled: done,
        failed: failures.map(({ name, error }) => ({ name, code: error.code, message: error.message })),
      },
    },
  );
}
