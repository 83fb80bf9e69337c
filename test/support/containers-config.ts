/**
 * The configuration files that skopeo and podman read: registries, trust policy, credentials. Outside the disposable
 * host they go to a folder of their own that the environment names; inside it they are the real ones in
 * `/etc/containers`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Credentials } from './registry-push.ts';

export interface ContainersConfig {
  /** `HOST:PORT` of registries that speak plain HTTP. */
  readonly insecure?: readonly string[];
  /** Registries tried for short names. */
  readonly search?: readonly string[];
  /** Short names and their full names. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** More text for registries.conf, for example a mirror. */
  readonly registriesText?: string;
  /** Content of policy.json; default accepts anything. */
  readonly policy?: unknown;
  /** Credentials by `HOST:PORT`. */
  readonly credentials?: Readonly<Record<string, Credentials>>;
}

/**
 * Writes the files into `folder`.
 *
 * @returns the environment with which programs read them. HOME is in `folder`: skopeo 1.9 knows no other way to
 * another registries.conf or policy.json
 */
export async function writeContainersConfig(
  folder: string,
  config: ContainersConfig,
): Promise<Record<string, string>> {
  const home = join(folder, 'home');
  const authFile = join(folder, 'auth.json');
  await writeDeep(authFile, formatAuth(config.credentials ?? {}));
  await writeDeep(join(home, '.config/containers/registries.conf'), formatRegistries(config));
  await writeDeep(join(home, '.config/containers/policy.json'), formatPolicy(config.policy));
  return { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), REGISTRY_AUTH_FILE: authFile };
}

/** Writes the same files where the programs of a host read them; only inside a disposable host. */
export async function writeHostContainersConfig(config: ContainersConfig): Promise<void> {
  await writeDeep('/etc/containers/registries.conf.d/99-test.conf', formatRegistries(config));
  await writeDeep('/etc/containers/policy.json', formatPolicy(config.policy));
  await writeDeep('/run/containers/0/auth.json', formatAuth(config.credentials ?? {}));
}

function formatRegistries(config: ContainersConfig): string {
  const search = `unqualified-search-registries = ${JSON.stringify(config.search ?? [])}\n`;
  const insecure = (config.insecure ?? []).map(
    (address) => `[[registry]]\nlocation = ${JSON.stringify(address)}\ninsecure = true\n`,
  );
  const aliases = Object.entries(config.aliases ?? {}).map(
    ([name, target]) => `${JSON.stringify(name)} = ${JSON.stringify(target)}\n`,
  );
  const mode = 'short-name-mode = "permissive"\n';
  return [search, mode, ...insecure, config.registriesText ?? '', '[aliases]\n', ...aliases].join('');
}

function formatPolicy(policy: unknown): string {
  return JSON.stringify(policy ?? { default: [{ type: 'insecureAcceptAnything' }] });
}

function formatAuth(credentials: Readonly<Record<string, Credentials>>): string {
  const auths = Object.entries(credentials).map(([address, { username, password }]) => [
    address,
    { auth: Buffer.from(`${username}:${password}`).toString('base64') },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) });
}

async function writeDeep(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
