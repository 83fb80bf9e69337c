/** Compares two deployments of a container, except the files of their images. */
import { compareLines } from '../../base/compare-lines.ts';
import { tryParseJson } from '../../base/json-text.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { listWidening } from '../consent/privilege.ts';
import type { DeploymentRecord } from '../container.ts';
import { buildDeploymentFolder, buildDeploymentPaths, type DeploymentNumber } from '../deployment.ts';
import type { ContainerName } from '../render/container-name.ts';
import type { HostFilesRecord } from '../render/hostfiles/host-file.ts';
import { parseMarker } from '../render/unit/generated-marker.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { type InstalledAsks, readAsks } from '../update/read-asks.ts';
import type { DeploymentChanges, TextDifference, ValueDifference } from './container-description.ts';

interface ComparedDeployment {
  readonly number: DeploymentNumber;
  readonly record: DeploymentRecord;
}

/** Values that depend on the number of the deployment, or that repeat the name and id of the image. */
const impliedValues = ['DESTDIR', 'IMAGE_NAME', 'IMAGE_ID'];

/**
 * Compares two deployments of one container. The folder of a deployment is written `$DESTDIR` in the texts.
 *
 * @throws file errors
 */
export async function compareDeployments(
  host: Host,
  name: ContainerName,
  before: ComparedDeployment,
  after: ComparedDeployment,
): Promise<DeploymentChanges> {
  const [old, young] = [before.record, after.record];
  const sides = { before: await readTexts(host, name, before), after: await readTexts(host, name, after) };
  const hasOtherImage = old.image !== young.image || old.revision !== young.revision;
  return {
    from: before.number,
    to: after.number,
    image: hasOtherImage ? { before: nameImage(old), after: nameImage(young) } : undefined,
    runtime: old.runtime === young.runtime ? undefined : { before: old.runtime, after: young.runtime },
    values: compareValues(old.values, young.values),
    texts: compareTexts(sides.before, sides.after),
    hostFiles: compareHostFiles(old.hostFiles, young.hostFiles),
    ...compareAsks(host, await listAsks(host, name, before), await listAsks(host, name, after)),
  };
}

function nameImage({ image, revision }: DeploymentRecord) {
  return { name: image, id: revision };
}

function compareAsks(
  host: Host,
  before: InstalledAsks,
  after: InstalledAsks,
): Pick<DeploymentChanges, 'gained' | 'dropped'> {
  if (before.kind === 'unknown') return reportUnknown(host, before.reason);
  if (after.kind === 'unknown') return reportUnknown(host, after.reason);
  return {
    gained: listWidening(before.privileges, after.privileges),
    dropped: listWidening(after.privileges, before.privileges),
  };
}

function reportUnknown(host: Host, reason: string): Pick<DeploymentChanges, 'gained' | 'dropped'> {
  host.report({ kind: 'warning', text: reason });
  return { gained: [], dropped: [] };
}

function listAsks(
  host: Host,
  name: ContainerName,
  { number, record }: ComparedDeployment,
): Promise<InstalledAsks> {
  return readAsks(host, { name, active: number, other: number === 0 ? 1 : 0, record });
}

function compareValues(before: TemplateValues, after: TemplateValues): readonly ValueDifference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const read = (values: TemplateValues, name: string) =>
    Object.hasOwn(values, name) ? values[name] : undefined;
  return names
    .filter((name) => !impliedValues.includes(name))
    .map((name) => ({ name, before: read(before, name), after: read(after, name) }))
    .filter((value) => value.before !== value.after);
}

type Texts = Readonly<Record<TextDifference['role'], string>>;

async function readTexts(host: Host, name: ContainerName, { number }: ComparedDeployment): Promise<Texts> {
  const folder = buildDeploymentFolder(host.locations, name, number);
  const { unitCopies, tmpfilesCopy, config } = buildDeploymentPaths(folder, name);
  const read = async (path: string) => ((await findText(path)) ?? '').replaceAll(folder, '$DESTDIR');
  const units = await Promise.all(unitCopies.map(async ({ path }) => withoutMarker(await read(path))));
  return {
    unit: units.join(''),
    tmpfiles: withoutMarker(await read(tmpfilesCopy)),
    config: layOut(await read(config)),
  };
}

/** The marker has the number of the deployment, and the original wrote none. */
function withoutMarker(text: string): string {
  return parseMarker(text) === undefined ? text : text.slice(text.indexOf('\n') + 1);
}

/** Two configurations with equal content count as equal. */
function layOut(config: string): string {
  const parsed = tryParseJson(config);
  return parsed === undefined ? config : JSON.stringify(parsed, undefined, 2);
}

function compareTexts(before: Texts, after: Texts): readonly TextDifference[] {
  return (['unit', 'config', 'tmpfiles'] as const)
    .map((role) => ({ role, lines: compareLines(before[role], after[role]) }))
    .filter(({ lines }) => lines.length > 0);
}

function compareHostFiles(before: HostFilesRecord, after: HostFilesRecord): DeploymentChanges['hostFiles'] {
  const describe = ({ checksums, links }: HostFilesRecord, path: string) =>
    `${checksums[path] ?? ''} ${links[path] ?? ''}`;
  const find = (path: string) => {
    if (!before.paths.includes(path)) return 'added';
    if (!after.paths.includes(path)) return 'removed';
    return describe(before, path) === describe(after, path) ? undefined : 'changed';
  };
  return [...new Set([...before.paths, ...after.paths])].sort().flatMap((path) => {
    const change = find(path);
    return change === undefined ? [] : [{ change, path }];
  });
}
