/** Finds the requirements of `policy.json` for an image (containers-policy.json(5)). */
import { AtomicError } from '../../base/errors.ts';
import { isJsonObject, parseJson } from '../../base/json-text.ts';
import { formatRequest, type ImageReference, replaceRepository } from '../../image/reference.ts';

interface PolicyRequirement {
  /** Type of the requirement: `insecureAcceptAnything`, `reject`, `signedBy`, `sigstoreSigned`... */
  readonly type: string;
}

export type TrustPolicy = {
  readonly default: readonly PolicyRequirement[];
  readonly transports: Readonly<Record<string, Readonly<Record<string, readonly PolicyRequirement[]>>>>;
};

/** The policy's verdict about an image. */
export type TrustVerdict =
  /** The policy accepts any image. */
  | { readonly kind: 'accept' }
  /** The policy refuses every image of `scope`. */
  | { readonly kind: 'reject'; readonly scope: string }
  /** The policy of `scope` requires signatures. */
  | { readonly kind: 'verify'; readonly scope: string };

/** @throws AtomicError SETTINGS_INVALID when the text is not a policy */
export function parseTrustPolicy(text: string, path: string): TrustPolicy {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new AtomicError('SETTINGS_INVALID', `reading the trust policy ${path}: it is not JSON`, {
      hint: 'See containers-policy.json(5).',
      cause: error,
    });
  }
  if (!isJsonObject(value)) throw invalid(path, 'it is not an object');
  const unknown = Object.keys(value).find((key) => key !== 'default' && key !== 'transports');
  if (unknown !== undefined) throw invalid(path, `it has the unknown key ${JSON.stringify(unknown)}`);
  const transports = value.transports ?? {};
  if (!isJsonObject(transports)) throw invalid(path, '"transports" is not an object');
  return {
    default: readRequirements(value.default, path, 'default'),
    transports: Object.fromEntries(
      Object.entries(transports).map(([transport, scopes]) => {
        if (!isJsonObject(scopes)) throw invalid(path, `"transports.${transport}" is not an object`);
        const entries = Object.entries(scopes).map(
          ([scope, list]) =>
            [scope, readRequirements(list, path, `transports.${transport}.${scope}`)] as const,
        );
        return [transport, Object.fromEntries(entries)];
      }),
    ),
  };
}

/**
 * Finds the most specific scope: the image itself, its repository, each namespace above it, the registry, wildcards
 * of the registry's domain, the transport's default and last the policy's default.
 *
 * @param image with its registry
 */
export function judgeRegistryImage(policy: TrustPolicy, image: ImageReference): TrustVerdict {
  const scopes = new Map(Object.entries(policy.transports.docker ?? {}));
  for (const scope of [...listScopes(image), '']) {
    const requirements = scopes.get(scope);
    if (requirements !== undefined) return judge(requirements, scope === '' ? 'docker' : scope);
  }
  return judge(policy.default, 'default');
}

/**
 * Judges a source of this machine. Its scopes are paths or names of other programs, and only skopeo matches them: so unless
 * every scope of the transport accepts any image, skopeo must judge.
 *
 * @param transport name of the transport in skopeo: `oci`, `docker-daemon`
 */
export function judgeTransport(policy: TrustPolicy, transport: string): 'accept' | 'verify' {
  const scopes = new Map(Object.entries(policy.transports)).get(transport) ?? {};
  const lists = Object.hasOwn(scopes, '')
    ? Object.values(scopes)
    : [...Object.values(scopes), policy.default];
  return lists.flat().every(({ type }) => type === 'insecureAcceptAnything') ? 'accept' : 'verify';
}

function judge(requirements: readonly PolicyRequirement[], scope: string): TrustVerdict {
  if (requirements.some(({ type }) => type === 'reject')) return { kind: 'reject', scope };
  return requirements.every(({ type }) => type === 'insecureAcceptAnything')
    ? { kind: 'accept' }
    : { kind: 'verify', scope };
}

function listScopes(image: ImageReference): string[] {
  const repository = expandName(image.repository);
  const elements = repository.split('/');
  const namespaces = elements.map((_, index) => elements.slice(0, elements.length - index).join('/'));
  const host = (elements[0] ?? '').replace(/:[0-9]+$/, '');
  const labels = host.split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  return [formatRequest(replaceRepository(image, repository)), ...namespaces, ...wildcards];
}

/** Scopes have full names for images of Docker Hub, `docker.io/library/busybox`. */
function expandName(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  const isRegistry = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const isDockerHub = !isRegistry || first === 'docker.io' || first === 'index.docker.io';
  if (!isDockerHub) return repository;
  const path = isRegistry ? rest.join('/') : repository;
  return path.includes('/') ? `docker.io/${path}` : `docker.io/library/${path}`;
}

const PLAIN_REQUIREMENTS = new Set(['insecureAcceptAnything', 'reject']);

function readRequirements(value: unknown, path: string, where: string): PolicyRequirement[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(path, `"${where}" is not a list of requirements`);
  return value.map((requirement: unknown) => {
    if (!isJsonObject(requirement) || typeof requirement.type !== 'string') {
      throw invalid(path, `a requirement of "${where}" has no type`);
    }
    // No other program checks these requirements after this one, so they are parsed as strictly as skopeo does.
    if (PLAIN_REQUIREMENTS.has(requirement.type) && Object.keys(requirement).length > 1) {
      throw invalid(path, `a requirement "${requirement.type}" of "${where}" has more than a type`);
    }
    return { type: requirement.type };
  });
}

function invalid(path: string, reason: string): AtomicError {
  return new AtomicError('SETTINGS_INVALID', `reading the trust policy ${path}: ${reason}`, {
    hint: 'See containers-policy.json(5).',
  });
}
