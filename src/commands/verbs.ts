import type { VerbEntry } from '../cli/arguments/find-verb.ts';
import type { Command } from './options/command.ts';

/** A verb with the loader of its command. Only the requested command is loaded, which keeps the start fast. */
export interface Verb extends VerbEntry {
  readonly load: () => Promise<Command>;
}

/** All verbs, in the order of help. */
export const verbs: readonly Verb[] = [
  {
    path: 'pull',
    summary: 'Fetch an image into the OSTree repository.',
    aliases: ['images pull'],
    load: async () => (await import('./images/pull.ts')).pull,
  },
  {
    path: 'images list',
    summary: 'List the images in the repository.',
    aliases: ['images ls'],
    load: async () => (await import('./images/list.ts')).imagesList,
  },
  {
    path: 'images delete',
    summary: 'Delete images, or some of their names.',
    aliases: ['images rm', 'rmi'],
    load: async () => (await import('./images/delete.ts')).imagesDelete,
  },
  {
    path: 'images prune',
    summary: 'Free the space of deleted images.',
    load: async () => (await import('./images/prune.ts')).imagesPrune,
  },
  {
    path: 'images tag',
    summary: 'Give an image another name.',
    aliases: ['tag'],
    load: async () => (await import('./images/tag.ts')).imagesTag,
  },
  {
    path: 'images info',
    summary: 'Show labels, template variables and size of an image.',
    aliases: ['info'],
    load: async () => (await import('./images/info.ts')).imagesInfo,
  },
  {
    path: 'images inspect',
    summary: 'Print all facts about images as JSON.',
    load: async () => (await import('./images/inspect.ts')).imagesInspect,
  },
  {
    path: 'images history',
    summary: 'Show how an image was built.',
    aliases: ['history'],
    load: async () => (await import('./images/history.ts')).imagesHistory,
  },
  {
    path: 'images version',
    summary: 'Show the version of an image.',
    load: async () => (await import('./images/version.ts')).imagesVersion,
  },
  {
    path: 'images update',
    summary: 'Fetch the current image of a stored name.',
    aliases: ['update'],
    load: async () => (await import('./images/update.ts')).imagesUpdate,
  },
  {
    path: 'images verify',
    summary: 'Check every object of images, and repair damage.',
    aliases: ['verify'],
    load: async () => (await import('./images/verify.ts')).imagesVerify,
  },
  {
    path: 'images push',
    summary: 'Copy an image from the repository to a registry.',
    aliases: ['push', 'upload'],
    load: async () => (await import('./images/push.ts')).imagesPush,
  },
  {
    path: 'images export',
    summary: 'Write an image from the repository to files.',
    load: async () => (await import('./images/export.ts')).imagesExport,
  },
  {
    path: 'install',
    summary: 'Install an image as a system container.',
    load: async () => (await import('./containers/install.ts')).install,
  },
  {
    path: 'start',
    summary: 'Start the services of containers, and check that they stay up.',
    aliases: ['containers start'],
    load: async () => (await import('./services/start.ts')).start,
  },
  {
    path: 'stop',
    summary: 'Stop the services of containers.',
    aliases: ['containers stop'],
    load: async () => (await import('./services/stop.ts')).stop,
  },
  {
    path: 'restart',
    summary: 'Stop the services of containers and start them again.',
    aliases: ['containers restart'],
    load: async () => (await import('./services/start.ts')).restart,
  },
  {
    path: 'status',
    summary: 'Show the state of the services of containers.',
    aliases: ['containers status'],
    load: async () => (await import('./services/status.ts')).status,
  },
  {
    path: 'logs',
    summary: 'Show the log of the service of a container.',
    aliases: ['containers logs'],
    load: async () => (await import('./services/logs.ts')).logs,
  },
  {
    path: 'containers list',
    summary: 'List the installed containers and their state.',
    aliases: ['containers ls', 'containers ps', 'ps'],
    load: async () => (await import('./containers/list.ts')).containersList,
  },
  {
    path: 'containers inspect',
    summary: 'Show a container, its two deployments, and their differences.',
    load: async () => (await import('./containers/inspect.ts')).containersInspect,
  },
  {
    path: 'containers delete',
    summary: 'Remove containers after a confirmation.',
    aliases: ['containers rm'],
    load: async () => (await import('./containers/delete.ts')).containersDelete,
  },
  {
    path: 'containers check',
    summary: 'Show which containers have a newer image.',
    load: async () => (await import('./containers/check.ts')).containersCheck,
  },
  {
    path: 'containers verify',
    summary: 'Compare containers with their deployments, and repair them.',
    aliases: ['containers check-drift'],
    load: async () => (await import('./containers/verify.ts')).containersVerify,
  },
  {
    path: 'containers fetch',
    summary: 'Fetch the newer images of containers.',
    load: async () => (await import('./containers/fetch.ts')).containersFetch,
  },
  {
    path: 'containers update',
    summary: 'Give a container a newer image or other values.',
    load: async () => (await import('./containers/update.ts')).containersUpdate,
  },
  {
    path: 'containers rollback',
    summary: 'Go back to the deployment before the last update.',
    load: async () => (await import('./containers/rollback.ts')).containersRollback,
  },
  {
    path: 'containers hold',
    summary: 'Exclude a container from updates.',
    load: async () => (await import('./containers/hold.ts')).containersHold,
  },
  {
    path: 'containers unhold',
    summary: 'End the hold of a container.',
    load: async () => (await import('./containers/hold.ts')).containersUnhold,
  },
  {
    path: 'uninstall',
    summary: 'Remove containers; their images stay.',
    load: async () => (await import('./containers/uninstall.ts')).uninstall,
  },
  {
    path: 'mount',
    summary: 'Mount the files of an image or a container at a directory, read-only.',
    load: async () => (await import('./roots/mount.ts')).mount,
  },
  {
    path: 'unmount',
    aliases: ['umount'],
    summary: 'Unmount a directory that was mounted by mount.',
    load: async () => (await import('./roots/unmount.ts')).unmount,
  },
  {
    path: 'diff',
    summary: 'List the differences between two images, containers or deployments.',
    load: async () => (await import('./roots/diff.ts')).diff,
  },
  {
    path: 'lint',
    summary: 'Check an image or a folder of templates before an install.',
    load: async () => (await import('./authors/lint.ts')).lint,
  },
  {
    path: 'render',
    summary: 'Print the files that an install would make of templates.',
    load: async () => (await import('./authors/render.ts')).render,
  },
  {
    path: 'init',
    summary: 'Write templates to start an image from.',
    load: async () => (await import('./authors/init.ts')).init,
  },
  {
    path: 'recover',
    summary: 'Undo or finish interrupted operations.',
    load: async () => (await import('./containers/recover.ts')).recover,
  },
  {
    path: 'version',
    summary: 'Show the versions of atomic and of the programs that it calls.',
    load: async () => (await import('./version.ts')).version,
  },
];
