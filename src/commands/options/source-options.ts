import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { buildRetryPauses } from '../../base/retry-pauses.ts';
import type { OptionTable, OptionValue } from '../../cli/arguments/command-spec.ts';
import type { RegistryCredentials, SourceOptions } from '../../image/image.ts';
import { requireAccessFiles } from '../../source/trust/access-files.ts';

/** The limit of `--retry`; the pauses of so many tries take nearly an hour. */
const MAX_RETRIES = 100;

/** The options of every verb that may pull: how to reach the registry. */
export const sourceOptions = {
  creds: {
    kind: 'value',
    label: 'USER:PASSWORD',
    aliases: ['src-creds'],
    description:
      'Credentials for the registry. Other users can see them in the list of processes; --authfile is safer.',
  },
  authfile: {
    kind: 'value',
    label: 'PATH',
    description: 'Credentials file, as "skopeo login" writes it.',
  },
  'cert-dir': {
    kind: 'value',
    label: 'PATH',
    description: 'Folder with certificates and keys (*.crt, *.cert, *.key) for the registry.',
  },
  'tls-verify': {
    kind: 'switch',
    description: 'Whether the registry must have a valid certificate. By default registries.conf decides.',
  },
  retry: {
    kind: 'value',
    label: 'N',
    description:
      'How often a transfer is tried again after a transient failure, after waits of 1, 2, 4 s and so on. The default is 3.',
  },
} as const satisfies OptionTable;

type SourceValues = {
  readonly [Name in keyof typeof sourceOptions]: OptionValue<(typeof sourceOptions)[Name]>;
};

/**
 * Parses the values of `sourceOptions`.
 *
 * @throws BAD_VALUE for credentials without a password and for a bad number; SOURCE_UNREADABLE for a missing file or
 *   folder
 */
export function parseSourceOptions(values: SourceValues): SourceOptions {
  const options: SourceOptions = {
    ...(values.creds === undefined ? {} : { credentials: parseCredentials(values.creds) }),
    ...(values.authfile === undefined ? {} : { authFile: values.authfile }),
    ...(values['cert-dir'] === undefined ? {} : { certDirectory: values['cert-dir'] }),
    ...(values['tls-verify'] === undefined ? {} : { tlsVerify: values['tls-verify'] }),
    ...(values.retry === undefined ? {} : { retryPauses: buildRetryPauses(parseRetries(values.retry)) }),
  };
  requireAccessFiles(options);
  return options;
}

function parseRetries(text: string): number {
  if (/^[0-9]+$/.test(text) && Number(text) <= MAX_RETRIES) return Number(text);
  throw new AtomicError(
    'BAD_VALUE',
    `Invalid value '${toPrintable(text, 80)}' of --retry: it must be a number from 0 to ${MAX_RETRIES}`,
    {
      hint: 'With --retry=0 no transfer is tried again.',
    },
  );
}

/** Splits at the first colon; the password may hold others. Messages do not show the value, because of the password. */
function parseCredentials(text: string): RegistryCredentials {
  const separator = text.indexOf(':');
  if (separator <= 0) {
    throw new AtomicError('BAD_VALUE', 'Invalid value of --creds: the form is USER:PASSWORD', {
      hint: 'To be asked for the password, run "skopeo login REGISTRY" and leave --creds out.',
    });
  }
  return { username: text.slice(0, separator), password: text.slice(separator + 1) };
}
