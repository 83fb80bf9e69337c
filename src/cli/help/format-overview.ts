import type { VerbEntry } from '../arguments/find-verb.ts';
import { findMembers } from '../arguments/find-verb.ts';
import { wrapText } from '../output/text-width.ts';
import { formatSection, joinBlocks } from './format-help.ts';
import { topics } from './topics.ts';

/** What `atomic --help` and the page atomic(1) say of the program. */
export const program = {
  description:
    'System containers: services that are shipped as OCI images, stored in OSTree, installed as hard links, and run ' +
    'read-only by systemd with runc or crun.',
  options: [
    { name: '-y, --assumeyes', text: 'Answer every question with yes.' },
    {
      name: '    --debug',
      text: 'Print each program that atomic runs and its duration, and stack traces of errors.',
    },
    { name: '-v, --version', text: 'Print the version, and the commit that it was built from.' },
    { name: '-h, --help', text: 'Print this text.' },
  ],
} as const;

/** Builds the text of `atomic --help`. */
export function formatOverview(verbs: readonly VerbEntry[]): string {
  return joinBlocks([
    ['Usage: atomic [--debug] [-y] VERB [OPTION]... [ARGUMENT]...'],
    wrapText(program.description, 80),
    formatSection('Verbs:', [
      ...verbs.map(toEntry),
      { name: 'help [VERB]', text: 'Show the manual page of a verb, or of atomic.' },
      ...topics.map(({ name, summary }) => ({ name: `help ${name}`, text: summary })),
    ]),
    formatSection('Options before the verb:', program.options),
    [
      'Examples:',
      '  atomic pull --storage=ostree registry.example.com/etcd',
      '  atomic install --system registry.example.com/etcd',
      '  atomic start etcd',
      '  atomic containers list',
    ],
    ["Try 'atomic VERB --help' for the options of a verb."],
  ]);
}

/** Builds the text of `atomic images --help`: the verbs with this first word. */
export function formatGroup(word: string, verbs: readonly VerbEntry[]): string {
  return joinBlocks([
    [`Usage: atomic ${word} VERB [OPTION]... [ARGUMENT]...`],
    formatSection('Verbs:', findMembers(word, verbs).map(toEntry)),
    [`Try 'atomic ${word} VERB --help' for the options of a verb.`],
  ]);
}

function toEntry({ path, summary }: VerbEntry): { name: string; text: string } {
  return { name: path, text: summary };
}
