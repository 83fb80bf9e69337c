import type { VerbEntry } from '../cli/find-verb.ts';
import type { Command } from './command.ts';

/** A verb and how to get its command: only the one that is asked for is loaded. */
export interface Verb extends VerbEntry {
  readonly load: () => Promise<Command>;
}

/** All verbs, in the order of help. */
export const verbs: readonly Verb[] = [
  {
    path: 'pull',
    summary: 'Fetch an image from a registry into the OSTree repository.',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    path: 'images list',
    summary: 'List the images in the repository.',
    load: async () => (await import('./images-list.ts')).imagesList,
  },
  {
    path: 'images push',
    summary: 'Copy an image from the repository to a registry.',
    aliases: ['push', 'upload'],
    load: async () => (await import('./images-push.ts')).imagesPush,
  },
  {
    path: 'images export',
    summary: 'Write an image from the repository to files.',
    load: async () => (await import('./images-export.ts')).imagesExport,
  },
  {
    path: 'install',
    summary: 'Install an image as a system container.',
    load: async () => (await import('./install.ts')).install,
  },
  {
    path: 'containers list',
    summary: 'List the installed containers and their state.',
    load: async () => (await import('./containers-list.ts')).containersList,
  },
  {
    path: 'uninstall',
    summary: 'Remove a container; its image stays.',
    load: async () => (await import('./uninstall.ts')).uninstall,
  },
  {
    path: 'recover',
    summary: 'Undo or finish what an interrupted command has left.',
    load: async () => (await import('./recover.ts')).recover,
  },
];
