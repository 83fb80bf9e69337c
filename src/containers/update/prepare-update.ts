/** Prepares an update before its first change. */
import { AtomicError, rewordError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { findText } from '../../host/files/find-file.ts';
import type { Host } from '../../host/host.ts';
import { readRuntime } from '../../host/runtime/runtime.ts';
import { listWidening, type Privilege } from '../consent/privilege.ts';
import type { InstallPlan } from '../container.ts';
import { buildContainerPaths, buildDeploymentFolder, buildDeploymentPaths } from '../deployment.ts';
import { requireNotShown } from '../mounted-deployments.ts';
import { requireFreeTmpfiles } from '../prepare/free-names.ts';
import { type PreparedInstall, prepareInstall } from '../prepare/prepare-install.ts';
import { digestPatches, listChangedPatches, readPatches } from '../prepare/read-patches.ts';
import { findRefused, type RefusedImage } from '../refused-image.ts';
import { changeOptions, isSameOptions } from '../render/options/service-options.ts';
import { changeSecrets } from '../render/secrets/secret-option.ts';
import { changeSetValues, listSetValues } from '../render/values/value-origins.ts';
import { readCopies } from '../service/activate.ts';
import { planStateCopy } from '../state/plan-state-copy.ts';
import type { HealthRequest } from '../switch/await-health.ts';
import { requireSeparateVolumes } from '../volumes/nested-volumes.ts';
import { chooseHealth } from './choose-health.ts';
import type { ChosenImage } from './choose-image.ts';
import { readAsks } from './read-asks.ts';
import {
  type CurrentContainer,
  listRunning,
  requireLoadable,
  requireSameKind,
  requireUnchangedFiles,
} from './read-current.ts';
import { readOrigins } from './read-origins.ts';
import { requireOwnPlatform } from './require-platform.ts';
import type { UpdateRequest, UpdateResult } from './update-request.ts';

export interface PreparedUpdate {
  readonly current: CurrentContainer;
  readonly prepared: PreparedInstall;
  readonly widening: readonly Privilege[];
  readonly health: HealthRequest;
  readonly running: readonly string[];
  /** The state folder, when the update copies it. */
  readonly state: string | undefined;
}

/** The results that end an update before it begins. */
type Unneeded = UpdateResult & { readonly outcome: 'up-to-date' | 'refused' };

/** Plans an update. @throws the errors of `prepareInstall` */
export async function prepareUpdate(
  ...request: Parameters<typeof planUpdate>
): Promise<PreparedUpdate | Unneeded> {
  try {
    return await planUpdate(...request);
  } catch (error) {
    const [, { name }] = request;
    throw error instanceof AtomicError ? rewordForUpdate(error, name) : error;
  }
}

/** Most checks are those of an install, and their messages begin with its verb: of a container, or of its image. */
function rewordForUpdate(error: AtomicError, name: string): AtomicError {
  if (error.code === 'TEMPLATE_UNSET_VARIABLE')
    return rewordError(error, error.message, adviseValues(error, name));
  const verb = 'Cannot install ';
  if (!error.message.startsWith(verb)) return error;
  const rest = error.message.slice(verb.length);
  const message = rest.startsWith(`${name}: `) ? `Cannot update ${rest}` : `Cannot update ${name} to ${rest}`;
  return rewordError(error, message, error.hint);
}

function adviseValues({ details }: AtomicError, name: string): string {
  const unset = Array.isArray(details?.unset) ? details.unset : [];
  const options = unset.map((variable) => `--set ${String(variable)}=VALUE`).join(' ');
  return `Give it a value: atomic containers update ${options} ${name}`;
}

async function planUpdate(
  host: Host,
  current: CurrentContainer,
  { image, imageName }: ChosenImage,
  request: UpdateRequest,
): Promise<PreparedUpdate | Unneeded> {
  const { name, record, other } = current;
  const before = listSetValues(record.values, readOrigins(host, name, record));
  const values = changeSetValues(before, request);
  const secrets = changeSecrets(record.secrets, request);
  const options = changeOptions(record.options, request.options);
  const patches = await readPatches(host, name);
  const changedPatches = listChangedPatches(record.patches, digestPatches(patches));
  const isSameImage = image.id === record.revision;
  const isSameInput = isSameValues(before, values) && isSameValues(record.secrets, secrets);
  const isSameDeployment = isSameImage && imageName === record.image && isSameInput;
  if (isSameDeployment && isSameOptions(record.options, options) && changedPatches.length === 0) {
    return { outcome: 'up-to-date', name, imageId: image.id };
  }
  const refused = isSameImage ? undefined : await findRefused(host, name, image.id);
  if (refused !== undefined && !request.retries) {
    return {
      ...{ outcome: 'refused', name, imageId: image.id },
      ...{ installedId: record.revision, reason: refused.reason },
    };
  }
  if (refused !== undefined) reportRetry(host, name, refused);
  for (const change of changedPatches) host.report({ kind: 'notice', text: `${name}: ${change}` });
  await requireUnchangedFiles(host, current, 'updating');
  await requireLoadable(host, current, 'updating');
  await requireNotShown(host, name);
  const runtime = await readRuntime(host, record.runtime);
  const prepared = await prepareInstall(host, {
    request: {
      ...{ image: imageName, values, options, secrets },
      ...{ checkedNames: request.checkedNames, keepsNew: request.keepsNew },
      skipsLint: request.skipsLint,
    },
    ...{ name, image, imageName, runtime, number: other, previous: record, patches },
  });
  const { plan } = prepared;
  requireSameKind(current, plan.record, 'updating');
  if (!isSameImage && plan.record.hasContainerService) await requireOwnPlatform(host, name, image);
  requireSeparateVolumes(
    name,
    { config: await readConfig(host, current), values: record.values },
    { config: plan.files.find(({ role }) => role === 'config')?.content, values: plan.record.values },
  );
  await requireFreeFiles(host, current, plan);
  return {
    ...{ current, prepared },
    // Options and patches are those of the person, also where they no longer take something away.
    widening: isSameDeployment ? [] : await findWidening(host, current, plan),
    health: await chooseHealth(host, name, plan.record, request),
    running: await listRunning(host, current),
    state: await planStateCopy(host, name, record, plan.record),
  };
}

function reportRetry(host: Host, name: string, { id, time, reason }: RefusedImage): void {
  const text = `${name}: trying image ${id.slice(0, 12)} again; its service did not come up at ${time}: ${reason}`;
  host.report({ kind: 'remark', text: toPrintable(text) });
}

/** When it is unknown what the old deployment asks for, all demands of the new one are new. */
async function findWidening(
  host: Host,
  current: CurrentContainer,
  { asks, grants }: InstallPlan,
): Promise<readonly Privilege[]> {
  const before = await readAsks(host, current);
  if (before.kind === 'unknown') host.report({ kind: 'warning', text: before.reason });
  const granted = before.kind === 'known' ? before.privileges : [];
  return listWidening(granted, asks).filter((privilege) => !grants.includes(privilege));
}

async function readConfig(host: Host, { name, active }: CurrentContainer): Promise<string | undefined> {
  return findText(buildDeploymentPaths(buildDeploymentFolder(host.locations, name, active), name).config);
}

/** A tmpfiles.d file that is new in this deployment must not replace a file of the host. */
async function requireFreeFiles(host: Host, { name, active }: CurrentContainer, { files }: InstallPlan) {
  const { tmpfiles } = buildContainerPaths(host.locations, name);
  if (!files.some(({ path }) => path === tmpfiles)) return;
  const old = await readCopies(buildDeploymentFolder(host.locations, name, active), name);
  if (old.tmpfiles === undefined) await requireFreeTmpfiles(host, name);
}

function isSameValues(
  first: Readonly<Record<string, string>>,
  second: Readonly<Record<string, string>>,
): boolean {
  const sorted = (values: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(values).sort());
  return sorted(first) === sorted(second);
}
