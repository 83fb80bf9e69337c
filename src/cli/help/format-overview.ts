import type { VerbEntry } from '../arguments/find-verb.ts';
import { findMembers } from '../arguments/find-verb.ts';
import { commonExitStatuses, commonFiles, formatSection, joinBlocks } from './format-help.ts';
import { wrapText } from './wrap-text.ts';

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
    { name: '-v, --version', text: 'Print the version.' },
    { name: '-h, --help', text: 'Print this text.' },
  ],
  environment: [
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
  ],
} as const;

/** Builds the text of `atomic --help`. */
export function formatOverview(verbs: readonly VerbEntry[]): string {
  return joinBlocks([
    ['Usage: atomic [--debug] [-y] VERB [OPTION]... [ARGUMENT]...'],
    wrapText(program.description, 80),
    formatSection('Verbs:', [
      ...verbs.map(toEntry),
      { name: 'help [VERB]', text: 'Print this text or the help of a verb.' },
    ]),
    formatSection('Options before the verb:', program.options),
    [
      'Examples:',
      '  atomic pull --storage=ostree registry.example.com/etcd',
      '  atomic install --system registry.example.com/etcd',
      '  systemctl start etcd',
      '  atomic containers list',
    ],
    formatSection('Environment:', program.environment),
    formatSection('Files:', commonFiles),
    formatSection('Exit status:', commonExitStatuses),
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
