import type { HelpRequest } from '../cli/arguments/find-verb.ts';
import { formatFullHelp, formatHelp } from '../cli/help/format-help.ts';
import { formatGroup, formatOverview } from '../cli/help/format-overview.ts';
import { formatPageName, formatTopic, topics } from '../cli/help/topics.ts';
import type { Output } from './options/command.ts';
import type { Caller } from './run-verb.ts';
import { verbs } from './verbs.ts';

/** Builds the text of `--help` and of the verb `help`; the latter shows the manual page on a terminal that has one. */
export async function runHelp(request: HelpRequest, caller: Caller): Promise<Output> {
  if (!request.isShort && caller.findDisplay().width !== undefined) {
    const { showManualPage } = await import('../host/manual-page.ts');
    if (showManualPage(caller.env, formatPageName(request.topic))) return { text: '' };
  }
  return { text: await buildHelp(request) };
}

/** Builds the text that stands for a manual page, or the short one. */
export async function buildHelp({ topic, isShort }: Omit<HelpRequest, 'kind'>): Promise<string> {
  if (topic === '') return formatOverview(verbs);
  const verb = verbs.find(({ path }) => path === topic);
  if (verb !== undefined) return (isShort ? formatHelp : formatFullHelp)(topic, await verb.load());
  const common = topics.find(({ name }) => name === topic);
  if (common === undefined) return formatGroup(topic, verbs);
  const described = verbs.map(async ({ path, load }) => ({ path, spec: await load() }));
  return formatTopic(common, await Promise.all(described));
}
