import { formatTable } from '../../cli/output/format-table.ts';
import type { ListedContainer } from '../../containers/container.ts';

/** Formats the question of `containers delete` in the words of the original (compatibility D-01). */
export function formatContainerQuestion(containers: readonly ListedContainer[]): string {
  return `Do you wish to delete the following containers?\n\n${formatContainers(containers)}\nConfirm (y/N) `;
}

/** Formats the list of containers that will be deleted, when no question shows it. */
export function formatContainerDeletion(containers: readonly ListedContainer[]): string {
  return `The following containers will be deleted.\n\n${formatContainers(containers)}`;
}

function formatContainers(containers: readonly ListedContainer[]): string {
  const columns = [
    { title: 'ID', minWidth: 12, read: ({ name }: ListedContainer) => name },
    { title: 'NAME', minWidth: 20, read: ({ name }: ListedContainer) => name },
    { title: 'IMAGE_NAME', minWidth: 25, read: readImageName },
    { title: 'STORAGE', minWidth: 10, read: () => 'ostree' },
  ];
  return formatTable(containers, columns, { mark: () => '', gap: 1, heading: true, truncate: false });
}

function readImageName(container: ListedContainer): string {
  return container.kind === 'container' ? container.record.image : '';
}
