/** The output of `images verify` for a person. Names and paths come from images. */
import { formatArgv } from '../../base/format-argv.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatSize } from '../../cli/output/format-size.ts';
import {
  type ImageRepair,
  isConcernedBy,
  isSound,
  listDamage,
  type RemoteStatus,
  type StaleMount,
  type StoreProblem,
  type UnreadableContainer,
  type VerifiedDeployment,
  type VerifiedImage,
} from '../../image/verified-image.ts';

/**
 * The largest number of paths that are printed for an object; an object may have a thousand paths. `--json` has all of
 * them.
 */
const MAX_PATHS = 8;

/** Formats a line for each problem, then a summary. */
export function formatVerified(image: VerifiedImage): string {
  return [...listProblemLines(image), formatSummary(image)].map(toLine).join('');
}

/** Formats the damage as `formatVerified` does, then the result of the repair. */
export function formatRepair(repair: ImageRepair): string {
  const { before, after } = repair;
  if (isSound(before)) return formatVerified(before);
  return [
    ...listProblemLines(before),
    ...(isSound(after) ? [`${after.reference}: repaired: ${describeWork(repair)}`] : listRemains(repair)),
    formatSummary(after),
  ]
    .map(toLine)
    .join('');
}

/** Formats the command that makes services use the repaired files; empty when no files of containers were replaced. */
export function formatRestartHint(repairs: readonly ImageRepair[]): string {
  const containers = [...new Set(repairs.flatMap(({ replacedFiles }) => [...replacedFiles.keys()]))].sort();
  if (containers.length === 0) return '';
  return `Running services use the old files until they are restarted: systemctl try-restart ${containers.join(' ')}\n`;
}

/** Formats the commands that make mounts show the repaired files. */
export function formatRemountHint(mounts: readonly StaleMount[]): string {
  return mounts
    .map(({ name, directory }) => {
      const commands = [
        ['atomic', 'umount', directory],
        ['atomic', 'mount', name, directory],
      ];
      return `${directory} shows the old files until it is mounted again: ${commands.map(formatArgv).join(' && ')}`;
    })
    .map(toLine)
    .join('');
}

/** Formats the problems of containers whose image is unknown, and the remedy; `--repair` does not help. */
export function formatUnreadable(containers: readonly UnreadableContainer[]): string {
  return containers
    .flatMap((container) => [
      ...listDeploymentLines(container),
      `${container.container}.${container.number}: its image is unknown: ${container.remedy}`,
    ])
    .map(toLine)
    .join('');
}

export function formatRemote(reference: string, status: RemoteStatus): string {
  return toLine(`${reference}: ${describeRemote(status)}`);
}

function describeRemote(status: RemoteStatus): string {
  switch (status.kind) {
    case 'up-to-date':
      return 'up to date';
    case 'newer':
      return `newer available: ${status.digest}`;
    case 'gone':
      return 'gone';
    case 'not-from-registry':
      return 'not from a registry';
    case 'unknown':
      return `could not be asked: ${status.reason}`;
  }
}

function listProblemLines({ reference, problems, deployments }: VerifiedImage): string[] {
  return [
    ...problems.map((problem) => `${reference}: ${describeProblem(problem, deployments)}`),
    ...deployments.flatMap(listDeploymentLines),
  ];
}

function listDeploymentLines({ container, number, problems }: VerifiedDeployment): string[] {
  return problems.map(({ path, state, reason }) => `${container}.${number}: ${path} is ${state}: ${reason}`);
}

function describeProblem(problem: StoreProblem, deployments: readonly VerifiedDeployment[]): string {
  const { kind, name, state, reason, paths, layers, isInRoot } = problem;
  const subject = paths.length > 0 ? formatPaths(paths) : kind === 'ref' ? `ref ${name}` : `${kind} ${name}`;
  const object = paths.length > 0 ? [`${kind} ${name}`] : [];
  const part = isInRoot ? [] : ['configuration'];
  const origin = layers.length > 0 ? [`layer ${layers.join(', ')}`] : part;
  const concerned = deployments.filter((deployment) => isConcernedBy(deployment, problem));
  const containers = [...new Set(concerned.map(({ container }) => container))];
  const users = containers.length > 0 ? [`used by ${containers.join(', ')}`] : [];
  const facts = [...object, ...origin, ...users];
  return `${subject} ${paths.length > 1 ? 'are' : 'is'} ${state}: ${reason}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
}

function formatPaths(paths: readonly string[]): string {
  const shown = paths.slice(0, MAX_PATHS).join(', ');
  return paths.length > MAX_PATHS ? `${shown} and ${paths.length - MAX_PATHS} more` : shown;
}

function formatSummary(image: VerifiedImage): string {
  const { reference, objects, bytes, problems, deployments } = image;
  const what = `${reference}: ${formatCount(objects, 'object')}, ${formatSize(bytes)}`;
  if (isSound(image)) return `${what}, sound`;
  const damagedFiles = deployments.reduce((sum, deployment) => sum + listDamage(deployment).length, 0);
  const count = (wanted: StoreProblem['state']) => problems.filter(({ state }) => state === wanted).length;
  return [
    what,
    ...countWords(count('damaged'), 'damaged'),
    ...countWords(count('missing'), 'missing'),
    ...countWords(damagedFiles, 'wrong in containers'),
  ].join(', ');
}

function countWords(count: number, words: string): string[] {
  return count === 0 ? [] : [`${count} ${words}`];
}

function describeWork({ fetchedLayers, takenFromDeployments, replacedFiles }: ImageRepair): string {
  const files = [...replacedFiles].map(([container, count]) => `${count} in ${container}`);
  return [
    fetchedLayers.length === 0 ? 'no layer fetched' : `layers fetched: ${fetchedLayers.join(', ')}`,
    ...(takenFromDeployments === 0 ? [] : [`objects taken from containers: ${takenFromDeployments}`]),
    ...(files.length === 0 ? [] : [`files replaced: ${files.join(', ')}`]),
  ].join('; ');
}

function listRemains({ after, failure }: ImageRepair): string[] {
  const concerned = after.deployments.filter(
    (deployment) =>
      listDamage(deployment).length > 0 ||
      after.problems.some((problem) => isConcernedBy(deployment, problem)),
  );
  const services = [...new Set(concerned.map(({ container }) => container))];
  const affected = services.length === 0 ? '' : `; containers affected: ${services.join(', ')}`;
  return [
    `${after.reference}: not repaired: ${failure ?? 'files of containers are still wrong'}${affected}`,
    ...listProblemLines(after).map((line) => `still: ${line}`),
  ];
}

function toLine(text: string): string {
  return `${toPrintable(text)}\n`;
}
