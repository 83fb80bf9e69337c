/** Operands for names of containers. */
import { buildUsageError } from '../../cli/arguments/usage-error.ts';

/** No name means all containers, as `--all` does. */
export const containersOperand = {
  label: 'NAME',
  count: 'many',
  description: "The containers, as 'atomic containers list -a' shows them. The default is all containers.",
} as const;

export const allOption = {
  all: { kind: 'flag', short: 'a', description: 'All containers; the default.' },
} as const;

/** @throws BAD_OPTION when both names and `--all` are given */
export function requireNamesOrAll(all: boolean, names: readonly string[], topic: string): void {
  if (!all || names.length === 0) return;
  const message = "Incompatible options specified.  --all doesn't support a container name";
  throw buildUsageError('BAD_OPTION', message, topic);
}

/** Of the verbs for the services of containers. */
export const serviceNames = {
  label: 'NAME',
  count: 'some',
  description: "A container with a service, as 'atomic containers list -a' shows it.",
} as const;
