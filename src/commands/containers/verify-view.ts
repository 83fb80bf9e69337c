/** The output of `containers verify`. */
import { formatArgv } from '../../base/format-argv.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatTable } from '../../cli/output/format-table.ts';
import {
  type ContainerDrift,
  type Drift,
  type DriftRepair,
  isFault,
  isRepairable,
  listRepaired,
} from '../../containers/drift/drift.ts';
import { formatRemountHint } from '../images/verify-text.ts';

/** A container may have thousands of changed files; `--json` has all of them. */
const MAX_ROWS = 20;

interface Row {
  readonly name: string;
  readonly part: string;
  readonly state: string;
  readonly path: string;
}

const columns = [
  { title: 'CONTAINER', read: ({ name }: Row) => name },
  { title: 'PART', read: ({ part }: Row) => part },
  { title: 'STATE', read: ({ state }: Row) => state },
  { title: 'PATH', read: ({ path }: Row) => path },
];

/** @param checkouts the folder that is left out of paths */
export function formatDrifts(containers: readonly ContainerDrift[], checkouts: string): string {
  const faulty = containers.filter(({ drifts }) => drifts.some(isFault));
  const helped = faulty
    .filter(({ drifts }) => drifts.some((drift) => isFault(drift) && isRepairable(drift)))
    .map(({ name }) => name);
  return [
    formatRows(containers, checkouts),
    ...containers.map(explain),
    formatSummary(containers.length, faulty.length),
    helped.length === 0 ? '' : `To repair: ${formatArgv([...repair, ...helped])}\n`,
  ].join('');
}

const repair = ['atomic', 'containers', 'verify', '--repair'];

const usedByServices: readonly string[] = ['unit', 'config', 'file', 'volume'];

/** Formats what was repaired, then what is left. */
export function formatDriftRepairs(
  repairs: readonly DriftRepair[],
  checkouts: string,
  isNamed: boolean,
): string {
  const done = repairs.map((one) => ({ name: one.name, drifts: listRepaired(one) }));
  const left = repairs.map(({ name, after }) => ({ name, drifts: after }));
  const faulty = left.filter(({ drifts }) => drifts.some(isFault)).map(({ name }) => name);
  const edited = left
    .filter(({ drifts }) => drifts.some((drift) => isFault(drift) && drift.state === 'edited'))
    .map(({ name }) => name);
  const restart = done
    .filter(({ drifts }) => drifts.some(({ part }) => usedByServices.includes(part)))
    .map(({ name }) => name);
  return [
    done.some(({ drifts }) => drifts.length > 0) ? `Repaired:\n${formatRows(done, checkouts)}` : '',
    left.some(({ drifts }) => drifts.length > 0) ? `Left:\n${formatRows(left, checkouts)}` : '',
    ...left.map(explain),
    ...repairs.map(({ name, failure }) =>
      failure === undefined ? '' : `${name}: not repaired: ${failure}\n`,
    ),
    formatSummary(repairs.length, faulty.length),
    isNamed || edited.length === 0
      ? ''
      : `To replace edited files too: ${formatArgv([...repair, ...edited])}\n`,
    left.some(({ drifts }) => drifts.some(({ part, state }) => part === 'file' && state !== 'added'))
      ? 'The store may have the same damage: atomic images verify --repair\n'
      : '',
    restart.length === 0
      ? ''
      : `Services use the repaired files after: ${formatArgv(['atomic', 'restart', ...restart])}\n`,
    formatRemountHint(repairs.flatMap(({ staleMounts }) => staleMounts)),
  ].join('');
}

function formatSummary(all: number, faulty: number): string {
  if (all === 0) return 'There are no containers.\n';
  if (faulty === 0)
    return all === 1 ? 'The container is in order.\n' : `${formatCount(all, 'container')}: all in order.\n`;
  return `${formatCount(all, 'container')}: ${faulty} with differences.\n`;
}

function formatRows(containers: readonly ContainerDrift[], checkouts: string): string {
  const rows = containers.flatMap(({ name, drifts }) => {
    const shown = drifts.slice(0, MAX_ROWS).map(({ part, state, path }) => ({
      ...{ name, part, state },
      path: shorten(path, checkouts),
    }));
    const rest = drifts.length - shown.length;
    return rest <= 0 ? shown : [...shown, { name, part: '', state: '', path: `and ${rest} more` }];
  });
  return formatTable(rows, columns, { mark: () => '', gap: 2, heading: true, truncate: false });
}

/** The parts whose state is no reason by itself. */
const explained: readonly string[] = ['container', 'symlink', 'info', 'image', 'operation'];

function explain({ name, drifts }: ContainerDrift): string {
  const reasons = drifts
    .filter(({ part }) => explained.includes(part))
    .map(({ part, path, reason }) => `${name}: ${part === 'operation' ? '' : `${path}: `}${reason}`);
  return [...new Set(reasons)].map((line) => `${toPrintable(line)}\n`).join('');
}

function shorten(path: string, checkouts: string): string {
  return path.startsWith(`${checkouts}/`) ? path.slice(checkouts.length + 1) : path;
}

export function buildDriftsJson(containers: readonly ContainerDrift[]): Record<string, unknown> {
  return {
    schemaVersion: 1,
    containers: containers.map(({ name, drifts }) => ({
      ...{ name, in_order: !drifts.some(isFault) },
      differences: drifts.map(buildDriftJson),
    })),
  };
}

export function buildDriftRepairsJson(repairs: readonly DriftRepair[]): Record<string, unknown> {
  return {
    schemaVersion: 1,
    containers: repairs.map((one) => ({
      ...{ name: one.name, in_order: !one.after.some(isFault) },
      differences: one.after.map(buildDriftJson),
      repaired: listRepaired(one).map(buildDriftJson),
      failure: one.failure ?? null,
      stale_mounts: one.staleMounts.map(({ name, directory }) => ({ name, directory })),
    })),
  };
}

function buildDriftJson({ part, path, state, reason, isTolerated, deployment }: Drift): object {
  return { part, path, state, reason, tolerated: isTolerated, deployment: deployment ?? null };
}
