/** Secrets: files of the host that the service reads below `/run/credentials`. Their content is never read here. */
import { AtomicError } from '../../../base/errors.ts';
import { toPrintable } from '../../../base/printable.ts';
import type { DeclaredVariables } from '../values/declared-variables.ts';
import { isVariableName } from '../values/template.ts';
import { forcedVariables, systemVariables } from '../values/values.ts';

/** Name of a secret -> absolute path of its file on the host. */
export type Secrets = Readonly<Record<string, string>>;

/** The folder of the secrets in the container. */
export const SECRETS_FOLDER = '/run/credentials';

/** systemd takes no longer name of a credential. */
const MAX_NAME = 255;

/** The unit has the path in one line, which systemd trims and continues after a backslash. */
const unfitPath = /[\u0000-\u001f\u007f]|^\s|\s$|\\$/;

/**
 * Parses `--secret NAME=PATH`.
 *
 * @param toAbsolute resolves a path of the command line
 * @throws BAD_VALUE for a wrong form, and for a name or a path that a unit cannot have
 */
export function parseSecretOption(
  word: string,
  toAbsolute: (path: string) => string,
): readonly [name: string, path: string] {
  const separator = word.indexOf('=');
  if (separator < 0) {
    throw new AtomicError('BAD_VALUE', 'Invalid value of --secret.  Expected form NAME=PATH', {
      // The word may be the secret itself.
      hint: 'Write the secret into a file that only root can read, and name the file.',
    });
  }
  const name = word.slice(0, separator);
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) || name.length > MAX_NAME) {
    throw new AtomicError('BAD_VALUE', `Invalid name '${toPrintable(name, 80)}' in --secret`, {
      hint: 'A name consists of letters, digits and the characters _.- and does not start with . or -.',
    });
  }
  if (forcedVariables.has(name) || systemVariables.has(name)) {
    throw new AtomicError('BAD_VALUE', `Invalid name '${name}' in --secret: it is a variable of the system`, {
      hint: 'Choose another name.',
    });
  }
  const path = word.slice(separator + 1);
  if (path === '') {
    throw new AtomicError('BAD_VALUE', `--secret ${name}= names no file`, {
      hint: 'Write --secret NAME=PATH.',
    });
  }
  const absolute = toAbsolute(path);
  if (unfitPath.test(absolute)) {
    throw new AtomicError(
      'BAD_VALUE',
      `Cannot use ${toPrintable(path)} for --secret: a unit cannot name it`,
      {
        hint: 'Choose a path without control characters, and without a blank or a backslash at its end.',
      },
    );
  }
  return [name, absolute];
}

/**
 * Applies `--secret` and `--unset-secret` to the secrets that a container has.
 *
 * @throws BAD_VALUE for a name to unset that the container does not have or that is given too
 */
export function changeSecrets(
  before: Secrets,
  { secrets, unsetSecrets }: { readonly secrets: Secrets; readonly unsetSecrets: readonly string[] },
): Secrets {
  for (const name of unsetSecrets) {
    if (Object.hasOwn(secrets, name)) {
      throw new AtomicError('BAD_VALUE', `--secret and --unset-secret both name ${toPrintable(name)}`, {
        hint: 'Use one of them.',
      });
    }
    if (!Object.hasOwn(before, name)) {
      const names = Object.keys(before).sort();
      throw new AtomicError('BAD_VALUE', `--unset-secret ${toPrintable(name)}: there is no such secret`, {
        hint: names.length === 0 ? 'The container has no secrets.' : `Its secrets are ${names.join(', ')}.`,
      });
    }
  }
  const kept = Object.entries(before).filter(([name]) => !unsetSecrets.includes(name));
  return { ...Object.fromEntries(kept), ...secrets };
}

/**
 * The values of variables that are secrets: in templates they stand for the path of the file in the container. A declared
 * secret that was not given is empty.
 *
 * @param set the values that the person set
 * @throws BAD_VALUE when a name is a value and a secret
 */
export function buildSecretValues(
  secrets: Secrets,
  declared: DeclaredVariables,
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const both = Object.keys(secrets).find((name) => Object.hasOwn(set, name));
  if (both !== undefined) {
    throw new AtomicError('BAD_VALUE', `${both} is given as a value and as a secret`, {
      hint: 'Leave --set out, or remove the value with --unset.',
    });
  }
  const optional = [...declared].filter(([, { isSecret }]) => isSecret).map(([name]) => [name, ''] as const);
  const given = Object.keys(secrets)
    .filter(isVariableName)
    .map((name) => [name, `${SECRETS_FOLDER}/${name}`] as const);
  return Object.fromEntries([...optional, ...given]);
}
