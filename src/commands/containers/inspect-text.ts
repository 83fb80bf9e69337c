/** The text of `containers inspect`, for a terminal of 80 columns. */
import { formatArgv } from '../../base/format-argv.ts';
import { formatLocalTime } from '../../cli/output/format-time.ts';
import { formatPrivileges } from '../../containers/consent/format-privileges.ts';
import type {
  ContainerDescription,
  DeploymentChanges,
  DeploymentDescription,
  HealthDescription,
  InstalledDescription,
  ServiceDescription,
} from '../../containers/inspect/container-description.ts';
import type { RefusedImage } from '../../containers/refused-image.ts';
import { formatOptions } from '../../containers/render/options/service-options.ts';
import { formatChangeEntries } from './changes-text.ts';
import { formatEntries, type LabelledText } from './entry-text.ts';

/** The width of the column of origins. */
const ORIGIN_WIDTH = 9;

export function formatContainer(container: ContainerDescription): string {
  const { name, status, deployments, changes, refused } = container;
  return [
    `${name}: ${status}\n${formatEntries(listFacts(container))}`,
    ...deployments.map((deployment) => formatDeployment(container, deployment)),
    ...(changes === undefined ? [] : [formatChanges(name, changes)]),
    ...refused.map(formatRefused),
  ].join('\n');
}

function formatChanges(name: string, changes: DeploymentChanges): string {
  const { from, to } = changes;
  const files = { label: 'Files', lines: [`\`atomic diff ${name}\` lists them`] };
  return `Changes from ${name}.${from} to ${name}.${to}\n${formatEntries([...formatChangeEntries(changes), files])}`;
}

function listFacts({ name, status, problems, service, unit, tmpfiles, isHeld }: ContainerDescription) {
  const remedy = status === 'damaged' ? [`\`atomic uninstall ${name}\` removes what is left of it`] : [];
  return [
    { label: 'Problem', lines: [...problems, ...remedy] },
    { label: 'Service', lines: service === undefined ? [] : [describeService(service)] },
    { label: 'Held', lines: isHeld ? [`yes; \`atomic containers unhold ${name}\` lets it be updated`] : [] },
    { label: 'Unit', lines: unit === undefined ? [] : [unit] },
    { label: 'tmpfiles.d', lines: tmpfiles === undefined ? [] : [tmpfiles] },
  ];
}

/** As `systemctl status` writes it. */
function describeService({ unit, loadState, activeState, subState, result, fileState }: ServiceDescription) {
  const load = loadState === 'loaded' ? [] : [loadState];
  const ending = activeState === 'failed' ? ` (result: ${result})` : ` (${subState})`;
  return `${unit}: ${[...load, `${activeState}${ending}`, fileState].filter((word) => word !== '').join(', ')}`;
}

/** The changes show the values of the other deployment. */
function formatDeployment(
  { name, deployments, changes }: ContainerDescription,
  { number, folder, isActive, installed, problems }: DeploymentDescription,
): string {
  const hasActive = deployments.some((deployment) => deployment.isActive);
  const other = hasActive ? 'Other deployment, for a rollback' : 'Deployment';
  const title = isActive ? 'Current deployment' : other;
  const entries = [
    { label: 'Problem', lines: problems },
    { label: 'Folder', lines: [folder] },
    ...(installed === undefined
      ? []
      : [
          ...listImage(installed),
          ...(isActive || changes === undefined ? listDemands(installed) : []),
          ...listOwnChanges(installed),
          listValues(installed),
        ]),
  ];
  return `${title}: ${name}.${number}\n${formatEntries(entries)}`;
}

function listImage({ record: { image, revision, created } }: InstalledDescription): readonly LabelledText[] {
  const time = created === 0 ? 'not known' : formatLocalTime(new Date(created * 1000));
  return [
    { label: 'Image', lines: [image] },
    { label: 'Image ID', lines: revision === '' ? [] : [revision.slice(0, 12)] },
    { label: 'Created', lines: [time] },
  ];
}

function listDemands({ record, health, asks }: InstalledDescription): readonly LabelledText[] {
  return [
    { label: 'Runtime', lines: [record.runtime] },
    { label: 'Health', lines: health === undefined ? [] : [describeHealth(health)] },
    { label: 'Asks', lines: asks === undefined ? ['not known'] : formatPrivileges(asks) },
    { label: 'Host files', lines: record.hostFiles.paths },
    { label: 'Secrets', lines: Object.entries(record.secrets).map(([name, path]) => `${name} from ${path}`) },
  ];
}

/** What the person has changed about the service. */
function listOwnChanges({ record: { options, patches } }: InstalledDescription): readonly LabelledText[] {
  return [
    { label: 'Options', lines: formatOptions(options), isCut: true },
    { label: 'Patches', lines: Object.keys(patches) },
  ];
}

/** Most values come from the system, and are of little interest. */
function listValues({ record, origins, hasRecordedOrigins }: InstalledDescription): LabelledText {
  const values = (['person', 'image', 'generated', undefined] as const).flatMap((origin) =>
    Object.entries(record.values)
      .filter(([name]) => origins[name] === origin)
      .map(([name, value]) => `${(origin ?? '').padEnd(ORIGIN_WIDTH)} ${name}=${value}`)
      .sort(),
  );
  const remark = hasRecordedOrigins ? [] : ['(the origins are inferred: info does not record them)'];
  return { label: 'Values', lines: values.length === 0 ? [] : [...remark, ...values], isCut: true };
}

function describeHealth({ settle, check }: HealthDescription): string {
  const settled = `up for ${settle} s`;
  if (check === undefined) return `${settled}; there is no check`;
  const { probe, interval, timeout, retries, startPeriod } = check;
  const times = `every ${interval} s, timeout ${timeout} s, ${retries} retries, start period ${startPeriod} s`;
  switch (probe.kind) {
    case 'command':
      return `${settled}, then \`${formatArgv(probe.argv)}\` in the container (${times})`;
    case 'http':
      return `${settled}, then an answer of ${probe.url} (${times})`;
    case 'tcp':
      return `${settled}, then a connection to ${probe.host}:${probe.port} (${times})`;
  }
}

function formatRefused({ id, reason, time, log }: RefusedImage): string {
  const entries: readonly LabelledText[] = [
    { label: 'Image ID', lines: [id.slice(0, 12)] },
    { label: 'Time', lines: [formatLocalTime(new Date(time))] },
    { label: 'Reason', lines: [reason] },
    { label: 'Log', lines: log, isCut: true },
  ];
  return `Refused image: its service did not come up, and updates skip it\n${formatEntries(entries)}`;
}
