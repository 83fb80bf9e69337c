/**
 * Verbs of docker, podman and systemctl that atomic does not have, with the command that does the same. Verbs with the same
 * meaning are aliases in the list of verbs instead.
 */
const advice: Readonly<Record<string, string>> = {
  'attach, top': 'Show the service and its processes: atomic status NAME',
  'build, commit': 'Build with podman, then: atomic pull containers-storage:IMAGE',
  'compose, kube, play, pod, stack, swarm':
    'Install each service by itself: atomic install --system --name NAME IMAGE',
  cp: 'The files of a container are in its rootfs: atomic mount NAME DIRECTORY',
  'create, deploy': 'Install the container: atomic install --system IMAGE',
  'delete, remove, rm':
    'Remove a container: atomic uninstall NAME. Remove an image: atomic images delete IMAGE',
  disable: 'Do not start the service at boot: systemctl disable NAME',
  enable: 'Start the service at boot: systemctl enable NAME',
  events: 'Follow the log of a container: atomic logs -f NAME',
  exec: 'Run a command in a running container with its runtime: runc exec -t NAME COMMAND, or crun exec -t NAME COMMAND',
  'import, load': 'Read an archive: atomic pull dockertar:FILE, or oci-archive:FILE',
  inspect:
    'Describe a container: atomic containers inspect NAME. Describe an image: atomic images inspect IMAGE',
  kill: 'Send a signal to the service: systemctl kill --signal=SIGNAL NAME',
  'list, ls': 'List the containers: atomic containers list -a. List the images: atomic images list',
  'login, logout': 'Log in with skopeo, which shares its credentials: skopeo login REGISTRY',
  'manifest, search':
    'Ask the registry with skopeo: skopeo list-tags docker://IMAGE, skopeo inspect docker://IMAGE',
  'network, port': 'The image decides about the network: atomic images info IMAGE',
  'pause, unpause': 'Use the runtime of the container: runc pause NAME, runc resume NAME',
  'prune, system': 'Free the space of deleted images: atomic images prune',
  reload: 'Let the service read its configuration again: systemctl reload NAME',
  rename:
    'Install the image under the new name, then uninstall the old one: atomic install --system --name NAME IMAGE',
  run: 'Install the image, then start its service: atomic install --system IMAGE, atomic start NAME',
  save: 'Write an image to a file: atomic images export IMAGE oci-archive:FILE',
  stats: 'Show the use of memory and processors: systemd-cgtop',
  upgrade: 'Update a container: atomic containers update --pull NAME',
  volume: 'The data of a container are in folders of the host: atomic containers inspect NAME',
  wait: 'Show whether the service runs: atomic status NAME',
};

/** Finds the command of atomic for a verb of docker, podman or systemctl. */
export function findForeignAdvice(word: string): string | undefined {
  return Object.entries(advice).find(([words]) => words.split(', ').includes(word))?.[1];
}

/** podman writes the first word of these verbs in the singular. */
const groups: ReadonlyMap<string, string> = new Map([
  ['image', 'images'],
  ['container', 'containers'],
]);

/** @returns the first word of the verbs of atomic */
export function readGroup(word: string): string {
  return groups.get(word) ?? word;
}
