import { formatHelp } from '../cli/help/format-help.ts';
import { formatGroup, formatOverview } from '../cli/help/format-overview.ts';
import type { Output } from './options/command.ts';
import { verbs } from './verbs.ts';

/**
 * Builds the text of `--help` and of the verb `help`.
 *
 * @param topic a verb, the first word of verbs, or empty for all
 */
export async function runHelp(topic: string): Promise<Output> {
  if (topic === '') return { text: formatOverview(verbs) };
  const verb = verbs.find(({ path }) => path === topic);
  if (verb === undefined) return { text: formatGroup(topic, verbs) };
  return { text: formatHelp(topic, await verb.load()) };
}
