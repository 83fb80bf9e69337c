/**
 * Hands a user and a password to skopeo in a private file: on its command line everybody on the machine could read
 * them. The file lives as long as the image is open; a kill leaves it readable for its owner only.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AtomicError } from '../core/errors.ts';
import type { RegistryCredentials, SourceOptions } from '../core/image.ts';
import type { Host } from '../host/host.ts';

export interface Access {
  /** The same options, without credentials. */
  readonly options: SourceOptions;
  /** Makes of a refusal one that knows that credentials were given; another error is returned as it is. */
  explain(error: unknown): unknown;
  remove(): void;
}

/** @param name fully qualified image name, whose first element is the registry */
export function prepareAccess(host: Host, name: string, options: SourceOptions): Access {
  const { credentials, ...others } = options;
  if (credentials === undefined) return { options, explain: (error) => error, remove: () => undefined };
  const folder = mkdtempSync(join(findRuntimeFolder(host), 'atomic-login-'));
  const authFile = join(folder, 'auth.json');
  const registry = name.slice(0, name.indexOf('/'));
  writeFileSync(authFile, formatAuthFile(registry, credentials), { mode: 0o600, flag: 'wx' });
  return {
    options: { ...others, authFile },
    explain: (error) => explainRefusal(error, registry),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function explainRefusal(error: unknown, registry: string): unknown {
  if (!(error instanceof AtomicError) || error.code !== 'REGISTRY_AUTH') return error;
  return new AtomicError(error.code, error.message, {
    hint: `${registry} refused what --creds gave: check the user, the password and what that user may do there.`,
    cause: error.cause,
  });
}

/** Kept in memory where there is such a folder. */
function findRuntimeFolder(host: Host): string {
  return host.uid === 0 ? '/run' : (host.env.XDG_RUNTIME_DIR ?? tmpdir());
}

/** The format of containers-auth.json(5). Docker Hub is known there under this name, too. */
function formatAuthFile(registry: string, { username, password }: RegistryCredentials): string {
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return JSON.stringify({ auths: { [registry]: { auth } } });
}
