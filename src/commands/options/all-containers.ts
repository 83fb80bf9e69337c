import { buildUsageError } from '../../cli/arguments/usage-error.ts';

/** Names of containers, of which none means all, as `--all` says it. */
export const containersOperand = {
  label: 'NAME',
  count: 'many',
  description: "The containers, as 'atomic containers list -a' shows them. All when none is named.",
} as const;

export const allOption = {
  all: { kind: 'flag', short: 'a', description: 'All containers, as without a NAME.' },
} as const;

/** @throws BAD_OPTION when names and `--all` are there */
export function requireNamesOrAll(all: boolean, names: readonly string[], topic: string): void {
  if (!all || names.length === 0) return;
  const message = "Incompatible options specified.  --all doesn't support a container name";
  throw buildUsageError('BAD_OPTION', message, topic);
}
