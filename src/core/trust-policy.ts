/** Which requirements of `policy.json` apply to an image (containers-policy.json(5)). */
import { AtomicError } from './errors.ts';
import { isJsonObject } from './json-text.ts';

export interface PolicyRequirement {
  /** `insecureAcceptAnything`, `reject`, `signedBy`, `sigstoreSigned`... */
  readonly type: string;
}

export type TrustPolicy = {
  readonly default: readonly PolicyRequirement[];
  readonly transports: Readonly<Record<string, Readonly<Record<string, readonly PolicyRequirement[]>>>>;
};

/** What the policy asks of an image. */
export type TrustVerdict =
  /** Anything is accepted. */
  | { readonly kind: 'accept' }
  /** The image is refused whatever it is; `scope` is the rule that says so. */
  | { readonly kind: 'reject'; readonly scope: string }
  /** Signatures must be checked. */
  | { readonly kind: 'verify'; readonly scope: string };

/** @throws AtomicError SETTINGS_INVALID when it is not a policy */
export function parseTrustPolicy(text: string, path: string): TrustPolicy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AtomicError('SETTINGS_INVALID', `reading the trust policy ${path}: it is not JSON`, {
      cause: error,
    });
  }
  if (!isJsonObject(value)) throw invalid(path, 'it is not an object');
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
 * @param image fully qualified: `registry.example.com/a/b:tag` or `...@sha256:HEX`
 */
export function judgeRegistryImage(policy: TrustPolicy, image: string): TrustVerdict {
  const scopes = policy.transports.docker ?? {};
  for (const scope of [...listScopes(image), '']) {
    const requirements = scopes[scope];
    if (requirements !== undefined) return judge(requirements, scope === '' ? 'docker' : scope);
  }
  return judge(policy.default, 'default');
}

function judge(requirements: readonly PolicyRequirement[], scope: string): TrustVerdict {
  if (requirements.some(({ type }) => type === 'reject')) return { kind: 'reject', scope };
  return requirements.every(({ type }) => type === 'insecureAcceptAnything')
    ? { kind: 'accept' }
    : { kind: 'verify', scope };
}

function listScopes(image: string): string[] {
  const repository = image.includes('@')
    ? image.slice(0, image.indexOf('@'))
    : image.slice(0, image.lastIndexOf(':'));
  const elements = repository.split('/');
  const namespaces = elements.map((_, index) => elements.slice(0, elements.length - index).join('/'));
  const host = (elements[0] ?? '').replace(/:[0-9]+$/, '');
  const labels = host.split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  return [image, ...namespaces, ...wildcards];
}

function readRequirements(value: unknown, path: string, where: string): PolicyRequirement[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid(path, `"${where}" is not a list of requirements`);
  return value.map((requirement: unknown) => {
    if (!isJsonObject(requirement) || typeof requirement.type !== 'string') {
      throw invalid(path, `a requirement of "${where}" has no type`);
    }
    return { type: requirement.type };
  });
}

function invalid(path: string, reason: string): AtomicError {
  return new AtomicError('SETTINGS_INVALID', `reading the trust policy ${path}: ${reason}`, {
    hint: 'See containers-policy.json(5).',
  });
}
