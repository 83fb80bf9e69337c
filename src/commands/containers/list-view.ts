import { formatCount } from '../../base/format-count.ts';
import { runtimeZone, type Zone } from '../../base/zone.ts';
import type { Display, Tone } from '../../cli/output/display.ts';
import { buildFilter, type FilterFields, listFilters } from '../../cli/output/filter.ts';
import { formatJson } from '../../cli/output/format-json.ts';
import { type Column, formatTable } from '../../cli/output/format-table.ts';
import { formatLocalTime } from '../../cli/output/format-time.ts';
import type { ListedContainer, ListedDeployment } from '../../containers/container.ts';

interface ContainerListOptions {
  readonly all: boolean;
  readonly filter: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noheading: boolean;
  readonly 'no-trunc': boolean;
  /** Of the times in the table. */
  readonly zone: Zone;
  readonly display?: Display | undefined;
}

/** The longest command in the table without `--no-trunc`. A terminal may be narrower. */
const COMMAND_WIDTH = 40;

/**
 * Formats `containers list` (compatibility L-01 to L-06): names, JSON or a table; without containers an empty text or
 * `[]`. A damaged container has the status `damaged`.
 *
 * @throws BAD_VALUE for a bad filter
 */
export function formatContainerList(
  containers: readonly ListedContainer[],
  options: ContainerListOptions,
): string {
  const matches = buildFilter(options.filter, buildFilterFields(options.zone));
  const shown = containers.filter(
    (container) => (options.all || !isStopped(container)) && matches(container),
  );
  if (options.quiet) return shown.map(({ name }) => `${name}\n`).join('');
  if (options.json) return formatJson(shown.map((container) => buildJson(container, options.zone)));
  const truncate = !options['no-trunc'];
  const hasNotes = shown.some((container) => readNotes(container) !== '');
  return formatTable(shown, [...buildColumns(options.zone), ...(hasNotes ? [noteColumn] : [])], {
    mark: () => '',
    gap: 1,
    heading: !options.noheading,
    truncate,
    display: options.display,
  });
}

/** Says how many containers the list leaves out without `--all`; `undefined` when it leaves out none. */
export function describeLeftOut(
  containers: readonly ListedContainer[],
  options: Pick<ContainerListOptions, 'all' | 'filter' | 'zone'>,
): string | undefined {
  const matches = buildFilter(options.filter, buildFilterFields(options.zone));
  const stopped = containers.filter((container) => isStopped(container) && matches(container));
  if (options.all || stopped.length === 0) return undefined;
  return `Not shown: ${formatCount(stopped.length, 'stopped container')} (atomic containers list -a)\n`;
}

function isStopped(container: ListedContainer): boolean {
  return readStatus(container) === 'inactive';
}

function buildColumns(zone: Zone): readonly Column<ListedContainer>[] {
  return [
    { title: 'CONTAINER ID', read: ({ name }) => name, fit: 'last' },
    { title: 'IMAGE', minWidth: 20, read: readImage, fit: 'middle' },
    {
      title: 'COMMAND',
      minWidth: 20,
      maxWidth: COMMAND_WIDTH,
      read: readCommand,
      fit: 'end',
      leaves: 'late',
    },
    { title: 'CREATED', minWidth: 16, read: (container) => readCreated(container, zone) },
    { title: 'STATUS', minWidth: 9, read: readStatus, tone: chooseTone },
    {
      title: 'RUNTIME',
      read: (container) => readRuntime(container).replace(/.*\//, ''),
      leaves: 'early',
    },
  ];
}

/** Only in a table that has one: what is unusual about a unit. */
const noteColumn: Column<ListedContainer> = {
  title: 'UNIT',
  read: readNotes,
  fit: 'wrap',
  tone: () => 'notable',
};

/** The names of the original (L-04), `status`, which is the title of the column, and `unit`. */
function buildFilterFields(zone: Zone): FilterFields<ListedContainer> {
  return {
    container: ({ name }) => [name],
    image: (container) => [readImage(container)],
    command: (container) => [readCommand(container)],
    created: (container) => [readCreated(container, zone)],
    state: (container) => [readStatus(container)],
    status: (container) => [readStatus(container)],
    runtime: (container) => [readRuntime(container)],
    backend: () => ['ostree'],
    unit: (container) => (container.kind === 'container' ? container.unitNotes : []),
  };
}

/** What can stand before the value of `--filter`. */
export const containerFilters: readonly string[] = listFilters(buildFilterFields(runtimeZone));

/**
 * Keys of the original (L-06), and `values` (inserted into the templates), `created_at`, `problem`: why a container is
 * damaged, otherwise null, `unit`: what is unusual about the unit, and `deployments`: the current one, and the one that a rollback goes back to.
 */
function buildJson(container: ListedContainer, zone: Zone): Record<string, unknown> {
  const record = container.kind === 'container' ? container.record : undefined;
  return {
    id: container.name,
    image_id: record?.revision ?? '',
    image_name: readImage(container),
    name: container.name,
    command: readCommand(container),
    created: readCreated(container, zone),
    state: readStatus(container),
    backend: 'ostree',
    runtime: readRuntime(container),
    vulnerable: false,
    running: readStatus(container) === 'running',
    created_at: record === undefined ? null : new Date(record.created * 1000).toISOString(),
    values: record?.values ?? {},
    problem: container.kind === 'damaged' ? container.reason : null,
    unit: container.kind === 'container' ? container.unitNotes : [],
    deployments: container.deployments.map(buildDeploymentJson),
  };
}

function buildDeploymentJson({ number, isActive, record }: ListedDeployment): Record<string, unknown> {
  return {
    deployment: number,
    active: isActive,
    image_name: record?.image ?? null,
    image_id: record?.revision ?? null,
    created_at: record === undefined ? null : new Date(record.created * 1000).toISOString(),
  };
}

function readImage(container: ListedContainer): string {
  return container.kind === 'container' ? container.record.image : '';
}

function readCommand(container: ListedContainer): string {
  return container.kind === 'container' ? container.command.join(' ') : '';
}

function readCreated(container: ListedContainer, zone: Zone): string {
  if (container.kind !== 'container') return '';
  return formatLocalTime(new Date(container.record.created * 1000), zone);
}

function readStatus(container: ListedContainer): string {
  return container.kind === 'container' ? container.status : 'damaged';
}

function readNotes(container: ListedContainer): string {
  return container.kind === 'container' ? container.unitNotes.join(', ') : '';
}

function chooseTone(container: ListedContainer): Tone | undefined {
  switch (readStatus(container)) {
    case 'running':
      return 'good';
    case 'failed':
    case 'damaged':
      return 'bad';
    default:
      return undefined;
  }
}

function readRuntime(container: ListedContainer): string {
  return container.kind === 'container' ? container.record.runtime : '';
}
