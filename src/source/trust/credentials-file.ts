/**
 * Passes a user name and a password to skopeo in a file that is in memory only and has no name. Every user of the machine can
 * read a command line, and `kill -9` would leave a file with a name. skopeo opens the file through `/proc` of this process,
 * which only the same user may do. The file exists as long as the image is open.
 */
import { closeSync, fchmodSync, readlinkSync, writeSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { FileMode } from '../../base/file-mode.ts';
import type { RegistryCredentials, SourceOptions } from '../../image/image.ts';
import type { ImageReference } from '../../image/reference.ts';

export interface Access {
  /** The user's options without the credentials. */
  readonly options: SourceOptions;
  /** Changes the hint of a refusal when the user gave credentials. Any other error is returned unchanged. */
  explain(error: unknown): unknown;
  remove(): void;
}

/** Registry of names without one, for skopeo. */
const DEFAULT_REGISTRY = 'docker.io';

export async function prepareAccess(image: ImageReference, options: SourceOptions): Promise<Access> {
  const { credentials, ...others } = options;
  if (credentials === undefined) return { options, explain: (error) => error, remove: () => undefined };
  const { createMemoryFile } = await import('../../native/libc.ts');
  const registry = image.registry ?? DEFAULT_REGISTRY;
  const file = createMemoryFile('atomic-login');
  fchmodSync(file, FileMode.private);
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
    hint: `${registry} refused the credentials of --creds: check the user, the password and the user's rights there.`,
    cause: error.cause,
  });
}

/** Formats a file as in containers-auth.json(5), which also has this second name for Docker Hub. */
function formatAuthFile(registry: string, { username, password }: RegistryCredentials): string {
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return JSON.stringify({ auths: { [registry]: { auth } } });
}
