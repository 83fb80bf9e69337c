/** How the service reads its secrets: the lines of its unit, and the mount of its configuration. */
import { formatExactJson, parseExactJson } from '../../../base/exact-json.ts';
import { isJsonObject, type JsonObject, type Reject } from '../../../base/json-text.ts';
import { simplifyPath } from '../config/runtime-config.ts';
import { SECRETS_FOLDER, type Secrets } from './secret-option.ts';

/** The user of the host as which the process of the container runs. */
interface SecretOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface SecretsMount {
  /** The configuration. */
  readonly text: string;
  readonly owner: SecretOwner;
  /** The folder on the host; it exists only while the service runs. */
  readonly source: string;
}

const MAX_CONFIG = 4 * 1024 * 1024;

/**
 * Formats the lines that are added to the unit. systemd reads the files at each start, and shows the credentials to root
 * only (systemd.exec(5)). For another user they are copied into a folder in memory that only root can enter.
 *
 * @param owner `undefined` when the OCI runtime does not run the service
 */
export function formatSecretLines(name: string, secrets: Secrets, owner: SecretOwner | undefined): string {
  const names = Object.keys(secrets).sort();
  if (names.length === 0) return '';
  const { outer, inner } = buildCopyFolders(name);
  const copies =
    owner === undefined || owner.uid === 0
      ? []
      : [
          `ExecStartPre=/usr/bin/install -d -m 0700 ${outer}`,
          `ExecStartPre=/usr/bin/install -d -m 0500 -o ${owner.uid} -g ${owner.gid} ${inner}`,
          ...names.map(
            (secret) =>
              `ExecStartPre=/usr/bin/install -m 0400 -o ${owner.uid} -g ${owner.gid} \${CREDENTIALS_DIRECTORY}/${secret} ${inner}/${secret}`,
          ),
          `ExecStopPost=-/bin/rm -rf ${outer}`,
        ];
  const loads = names.map(
    (secret) => `LoadCredential=${secret}:${(secrets[secret] ?? '').replaceAll('%', '%%')}`,
  );
  return ['', '# Added by atomic: --secret', '[Service]', ...loads, ...copies, ''].join('\n');
}

/** The folder on the host that the container shows as `SECRETS_FOLDER`. */
function findSource(name: string, owner: SecretOwner): string {
  return owner.uid === 0 ? `/run/credentials/${name}.service` : buildCopyFolders(name).inner;
}

function buildCopyFolders(name: string) {
  const outer = `/run/atomic-secrets-${name}`;
  return { outer, inner: `${outer}/files` };
}

/**
 * Adds the mount of the secrets to a configuration, and the variable `CREDENTIALS_DIRECTORY`, by which programs find
 * them. All other values stay as they are.
 *
 * @param text a configuration that `parseRuntimeConfig` accepts
 * @param reject for a configuration that mounts something else there
 */
export function addSecretsMount(text: string, name: string, reject: Reject): SecretsMount {
  const config = parseExactJson(text, MAX_CONFIG, reject);
  const mounts = Array.isArray(config.mounts) ? config.mounts : [];
  const taken = mounts.find(
    (mount) => isJsonObject(mount) && isAtSecrets(simplifyPath(String(mount.destination))),
  );
  if (taken !== undefined) {
    throw reject(`--secret: the configuration mounts something at ${SECRETS_FOLDER}`);
  }
  const owner = findOwner(config, reject);
  const source = findSource(name, owner);
  const mount = {
    ...{ destination: SECRETS_FOLDER, type: 'bind', source },
    options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
  };
  const spec = isJsonObject(config.process) ? config.process : {};
  const env = Array.isArray(spec.env) ? spec.env : [];
  const isSet = env.some((entry) => String(entry).startsWith('CREDENTIALS_DIRECTORY='));
  const process = isSet ? spec : { ...spec, env: [...env, `CREDENTIALS_DIRECTORY=${SECRETS_FOLDER}`] };
  return { text: formatExactJson({ ...config, process, mounts: [...mounts, mount] }), owner, source };
}

function isAtSecrets(destination: string): boolean {
  return destination === SECRETS_FOLDER || destination.startsWith(`${SECRETS_FOLDER}/`);
}

/** The user and the group of the process, as the host sees them. */
function findOwner(config: JsonObject, reject: Reject): SecretOwner {
  const spec = isJsonObject(config.process) ? config.process : {};
  const user = isJsonObject(spec.user) ? spec.user : {};
  const linux = isJsonObject(config.linux) ? config.linux : {};
  const uid = mapId(Number(user.uid ?? 0), linux.uidMappings);
  const gid = mapId(Number(user.gid ?? 0), linux.gidMappings);
  if (uid === undefined || gid === undefined) {
    throw reject('--secret: the user of the process is not mapped to a user of the host');
  }
  return { uid, gid };
}

function mapId(id: number, mappings: unknown): number | undefined {
  if (!Array.isArray(mappings) || mappings.length === 0) return id;
  for (const mapping of mappings) {
    if (!isJsonObject(mapping)) continue;
    const [inner, outer, size] = [mapping.containerID, mapping.hostID, mapping.size].map(Number);
    if (inner === undefined || outer === undefined || size === undefined) continue;
    if (id >= inner && id < inner + size) return outer + (id - inner);
  }
  return undefined;
}
