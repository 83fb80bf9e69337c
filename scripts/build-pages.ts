/**
 * Builds the manual pages in `dist/man`, in sections 1, 5 and 7. Their date is that of `SOURCE_DATE_EPOCH`, or else of the
 * last commit, so that two builds are equal.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { version } from '../package.json';
import { formatPageName, topics } from '../src/cli/help/topics.ts';
import { verbs } from '../src/commands/verbs.ts';
import { documentPages, formatDocumentPage } from './pages/document-page.ts';
import { formatProgramPage, formatTopicPage, formatVerbPage } from './pages/verb-page.ts';

const folder = process.argv[2] ?? 'dist/man';
const head = { date: readDate(), source: `atomic ${version}` };

rmSync(folder, { recursive: true, force: true });
for (const section of ['man1', 'man5', 'man7']) mkdirSync(`${folder}/${section}`, { recursive: true });

writeFileSync(`${folder}/man1/atomic.1`, formatProgramPage(verbs, head));
const described = await Promise.all(verbs.map(async (verb) => ({ ...verb, spec: await verb.load() })));
for (const verb of described) {
  writeFileSync(`${folder}/man1/${formatPageName(verb.path)}.1`, formatVerbPage(verb, verb.spec, head));
}
for (const topic of topics) {
  writeFileSync(`${folder}/man7/${formatPageName(topic.name)}.7`, formatTopicPage(topic, described, head));
}
for (const page of documentPages) {
  const markdown = readFileSync(new URL(`../docs/${page.document}`, import.meta.url), 'utf8');
  writeFileSync(`${folder}/man5/${page.name}.5`, formatDocumentPage(page, markdown, head));
}

function readDate(): string {
  const seconds =
    process.env.SOURCE_DATE_EPOCH ?? execFileSync('git', ['log', '-1', '--format=%ct'], { encoding: 'utf8' });
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
}
