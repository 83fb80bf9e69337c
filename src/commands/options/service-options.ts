/** The options that change the service of an image, in the words of podman and docker. */
import type { OptionTable } from '../../cli/arguments/command-spec.ts';
import type { ServiceOptions } from '../../containers/render/options/service-options.ts';

const list = (label: string, description: string) => ({ kind: 'list', label, description }) as const;
const value = (label: string, description: string) => ({ kind: 'value', label, description }) as const;

export const serviceOptions = {
  volume: {
    ...list('SOURCE:DESTINATION[:ro]', 'Show a folder or a file of the host in the container.'),
    short: 'v',
  },
  tmpfs: list(
    'PATH[:OPTIONS]',
    'Mount an empty folder in memory, with size=, mode=, uid=, gid=, ro, noexec.',
  ),
  device: list('PATH[:DESTINATION][:rwm]', 'Give access to a device of the host.'),
  env: { ...list('NAME=VALUE', 'Set an environment variable.'), short: 'e' },
  'env-file': list('FILE', 'Set the environment variables of a file, one NAME=VALUE a line.'),
  user: { ...value('USER[:GROUP]', 'Run as this user of the image, or as these numbers.'), short: 'u' },
  'cap-add': list('CAPABILITY', 'Give the service a capability, such as NET_ADMIN, or ALL.'),
  'cap-drop': list('CAPABILITY', 'Take a capability from the service, or ALL.'),
  'security-opt': value(
    'seccomp=PATH|unconfined',
    'Use another seccomp filter than the default one, or none.',
  ),
  ulimit: list('NAME=SOFT[:HARD]', 'Limit each process, such as nofile=1024:65536.'),
  memory: value('SIZE', 'Limit the memory of the container: 512m, 2g.'),
  cpus: value('NUMBER', 'Limit the processor time: 1.5 is that of one and a half processors.'),
  'pids-limit': value('NUMBER', 'Limit the number of processes and threads.'),
  'stop-timeout': value('SECONDS', 'Kill what is left this long after a stop.'),
  network: value('host|none', 'Use the network of the host, or none.'),
  entrypoint: value('PROGRAM', 'Run another program; a JSON array gives several words.'),
} as const satisfies OptionTable;

/** The operand for the words after `--`. */
export const argsOperand = {
  label: 'ARG',
  count: 'after-dashes',
  description: 'After --: arguments of the service, in place of those of the image.',
} as const;

type GivenOptions = {
  readonly [Name in keyof typeof serviceOptions]: readonly string[] | string | undefined;
};

/**
 * Collects the options as they are recorded: the file of `--env-file` is read now, and its variables are kept.
 *
 * @throws BAD_VALUE
 */
export async function readServiceOptions(
  given: GivenOptions,
  args: readonly string[],
): Promise<ServiceOptions> {
  const { 'env-file': files, env, ...others } = given;
  const variables = [...(await readEnvironmentFiles(toList(files))), ...toList(env)];
  const all = { ...others, env: variables, args };
  const options: ServiceOptions = Object.fromEntries(
    Object.entries(all)
      .map(([name, values]) => [name, toList(values)] as const)
      .filter(([, values]) => values.length > 0),
  );
  // A wrong command line is an error on every machine.
  const { parseOptions } = await import('../../containers/render/options/parse-options.ts');
  parseOptions(options);
  return options;
}

/** What a command line has, whether its options change a service. */
export function hasServiceOptions(given: GivenOptions, args: readonly string[]): boolean {
  const names = Object.keys(serviceOptions) as readonly (keyof typeof serviceOptions)[];
  return args.length > 0 || names.some((name) => toList(given[name]).length > 0);
}

async function readEnvironmentFiles(paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const { readEnvironmentFile } = await import('../../containers/prepare/read-environment-file.ts');
  const files = await Promise.all(paths.map(readEnvironmentFile));
  return files.flat();
}

function toList(values: readonly string[] | string | undefined): readonly string[] {
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}
