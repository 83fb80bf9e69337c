import { resolve } from 'node:path';
import type { OptionTable, OptionValue } from '../../cli/arguments/command-spec.ts';
import { parseSecretOption, type Secrets } from '../../containers/render/secrets/secret-option.ts';
import {
  type Assignment,
  type GivenValues,
  joinValues,
  parseAssignment,
} from '../../containers/render/values/set-option.ts';
import { requireFindable } from '../../host/working-directory.ts';

/** The options that give values to the variables of the templates. */
export const valueOptions = {
  set: {
    kind: 'list',
    label: 'NAME=VALUE',
    description: 'Set a variable of the templates. The value may be empty. The image must use the variable.',
  },
  'set-file': {
    kind: 'list',
    label: 'NAME=PATH',
    description:
      'As --set, with the text of a file as the value, without a line break at its end. At most 1 MiB.',
  },
  'set-any': {
    kind: 'list',
    label: 'NAME=VALUE',
    description: 'As --set, also for a variable that the image does not use.',
  },
} as const satisfies OptionTable;

export const secretOption = {
  secret: {
    kind: 'list',
    label: 'NAME=PATH',
    description:
      'Show a file of the host to the service as /run/credentials/NAME. systemd reads the file at each start; its content is stored nowhere.',
  },
} as const satisfies OptionTable;

type WrittenValues = {
  readonly [Name in keyof typeof valueOptions]: OptionValue<(typeof valueOptions)[Name]>;
};

/** @throws BAD_VALUE for a text of the wrong form, and for a file that cannot be a value */
export async function parseValueOptions(options: WrittenValues): Promise<GivenValues> {
  const files = options['set-file'].map((word) => parseAssignment(word, '--set-file', 'NAME=PATH'));
  const set = options.set.map((word) => parseAssignment(word, '--set'));
  const setAny = options['set-any'].map((word) => parseAssignment(word, '--set-any'));
  // Names first: a file is not read for a command line that is wrong.
  joinValues({ set, setFile: files, setAny });
  return joinValues({ set, setFile: await readFiles(files), setAny });
}

/** @throws BAD_VALUE for a text of the wrong form, and for a path that a unit cannot name */
export function parseSecrets({ secret }: { readonly secret: readonly string[] }): Secrets {
  return Object.fromEntries(secret.map((word) => parseSecretOption(word, toAbsolute)));
}

function toAbsolute(path: string): string {
  requireFindable(path);
  return resolve(path);
}

async function readFiles(files: readonly Assignment[]): Promise<readonly Assignment[]> {
  if (files.length === 0) return [];
  const { readSetFile } = await import('../../containers/prepare/read-option-file.ts');
  return Promise.all(files.map(async ({ name, text }) => ({ name, text: await readSetFile(text) })));
}
