/** What all verbs have in common, for `atomic help TOPIC`, the page of the program, and a page for each topic. */
import type { CommandSpec, HelpEntry } from '../arguments/command-spec.ts';
import { formatSection, joinBlocks } from './format-help.ts';

/** Files that every verb reads. */
export const commonFiles: readonly HelpEntry[] = [
  { name: '/etc/atomic.conf', text: 'Settings: the repository, the checkouts, the runtime, proxies.' },
  {
    name: '/var/lib/containers/atomic',
    text: 'Containers (checkouts), and by default the OSTree repository.',
  },
];

/** The exit statuses of every verb. */
export const commonExitStatuses: readonly HelpEntry[] = [
  { name: '0', text: 'Done, or there was nothing to do.' },
  {
    name: '1',
    text: 'Failed. The first line on standard error gives the reason; no change is left incomplete.',
  },
  { name: '2', text: 'The command line or a value in it is wrong, or a confirmation was refused.' },
  { name: '128+N', text: 'Ended by signal N: 130 after Ctrl-C, 143 after SIGTERM.' },
  { name: 'other', text: 'A program that atomic ran, such as systemctl, failed with this status.' },
];

export const environment: readonly HelpEntry[] = [
  { name: 'ATOMIC_OSTREE_CHECKOUT_PATH', text: 'Folder of the containers.' },
  { name: 'ATOMIC_OSTREE_REPO', text: 'The OSTree repository.' },
  { name: 'ATOMIC_CONF', text: 'Settings file to read instead of /etc/atomic.conf.' },
  {
    name: 'DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH',
    text: 'The Docker engine, as for docker(1).',
  },
  {
    name: 'HTTP_PROXY, HTTPS_PROXY, NO_PROXY',
    text: 'Proxies for registries; they override /etc/atomic.conf.',
  },
  { name: 'NO_COLOR', text: 'With any value: no colours on a terminal.' },
  { name: 'COLUMNS', text: 'The width of the terminal, in place of what the terminal says.' },
];

/** A verb with its table. */
export interface DescribedVerb {
  readonly path: string;
  readonly spec: CommandSpec;
}

interface Topic {
  readonly name: string;
  readonly summary: string;
  readonly sections: (verbs: readonly DescribedVerb[]) => readonly TopicSection[];
}

/** A list with a title. */
interface TopicSection {
  readonly title: string;
  readonly entries: readonly HelpEntry[];
}

export const topics: readonly Topic[] = [
  {
    name: 'exit-status',
    summary: 'What the exit statuses of atomic mean.',
    sections: (verbs) => [
      { title: 'Exit status', entries: commonExitStatuses },
      { title: 'Of single verbs', entries: listOwn(verbs, ({ exitStatuses }) => exitStatuses) },
    ],
  },
  {
    name: 'files',
    summary: 'The files and environment variables of atomic.',
    sections: (verbs) => [
      { title: 'Files', entries: commonFiles },
      { title: 'Of single verbs', entries: listOwn(verbs, ({ files }) => files) },
      { title: 'Environment', entries: environment },
    ],
  },
];

/** Builds the text of `atomic help TOPIC`. */
export function formatTopic({ sections }: Topic, verbs: readonly DescribedVerb[]): string {
  return joinBlocks(sections(verbs).map(({ title, entries }) => formatSection(`${title}:`, entries)));
}

/** The manual page of a verb or a topic: `atomic-images-list`. @param topic empty for the program */
export function formatPageName(topic: string): string {
  return ['atomic', ...topic.split(' ')].filter((word) => word !== '').join('-');
}

/** `images verify: 1`. */
function listOwn(
  verbs: readonly DescribedVerb[],
  read: (spec: CommandSpec) => readonly HelpEntry[],
): readonly HelpEntry[] {
  return verbs.flatMap(({ path, spec }) =>
    read(spec).map(({ name, text }) => ({ name: `${path}: ${name}`, text })),
  );
}
