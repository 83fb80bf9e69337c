/**
 * Hands a user and a password to skopeo in a file that is in memory only and has no name: on its command line everybody on
 * the machine could read them, and a file with a name would be left by `kill -9`. skopeo opens it through this process, as
 * only its user may. It lives as long as the image is open.
 */
import { closeSync, fchmodSync, readlinkSync, writeSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import type { RegistryCredentials, SourceOptions } from '../../image/image.ts';

export interface Access {
  /** The same options, without credentials. */
  readonly options: SourceOptions;
  /** Makes of a refusal one that knows that credentials were given; another error is returned as it is. */
  explain(error: unknown): unknown;
  remove(): void;
}

/** @param name fully qualified image name, whose first element is the registry */
export async function prepareAccess(name: string, options: SourceOptions): Promise<Access> {
  const { credentials, ...others } = options;
  if (credentials === undefined) return { options, explain: (error) => error, remove: () => undefined };
  const { createMemoryFile } = await import('../../native/libc.ts');
  const registry = name.slice(0, name.indexOf('/'));
  const file = createMemoryFile('atomic-login');
  fchmodSync(file, 0o600);
  writeSync(file, formatAuthFile(registry, credentials));
  return {
    options: { ...others, authFile: `/proc/${readlinkSync('/proc/self')}/fd/${file}` },
    explain: (error) => explainRefusal(error, registry),
    remove: () => closeSync(file),
  };
}

function explainRefusal(error: unknown, registry: string): unknown {
  if (!(error instanceof AtomicError) || error.code !== 'REGISTRY_AUTH') return error;
  return new AtomicError(error.code, error.message, {
    hint: `${registry} refused what --creds gave: check the user, the password and what that user may do there.`,
    cause: error.cause,
  });
}

/** The format of containers-auth.json(5). Docker Hub is known there under this name, too. */
function formatAuthFile(registry: string, { username, password }: RegistryCredentials): string {
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return JSON.stringify({ auths: { [registry]: { auth } } });
}
