/** Reads and decides everything for an install before its first change. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import { FileMode } from '../../base/file-mode.ts';
import { toPrintable } from '../../base/printable.ts';
import { listExisting } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { type Runtime, readPidfileSupport } from '../../host/runtime/runtime.ts';
import {
  emptyImageConfig,
  type ImageConfig,
  parseImageConfig,
  runsOnce,
} from '../../image/configuration-blob.ts';
import type { StoredImage } from '../../image/image.ts';
import { type Checkout, readCheckout } from '../../store/checkout/checkout.ts';
import { findImageConfig, openImageTree, readImageConfig } from '../../store/image-files.ts';
import { listPrivileges } from '../consent/list-privileges.ts';
import { listOwnFolders } from '../consent/own-folders.ts';
import type { DeploymentRecord, InstallPlan, InstallRequest, PlannedFile } from '../container.ts';
import {
  buildContainerPaths,
  buildDeploymentFolder,
  buildDeploymentPaths,
  type DeploymentNumber,
} from '../deployment.ts';
import { formatInfo } from '../info-file.ts';
import { findRuntimeKind } from '../lint/finding.ts';
import { listBindSources } from '../render/config/runtime-config.ts';
import type { ContainerName } from '../render/container-name.ts';
import { noHostFiles } from '../render/hostfiles/host-file.ts';
import { bringsUnits } from '../render/hostfiles/host-path-rules.ts';
import { formatSecretLines } from '../render/secrets/secret-reader.ts';
import { buildTmpfiles } from '../render/tmpfiles/tmpfiles.ts';
import { buildUnit } from '../render/unit/unit.ts';
import { findOrigins } from '../render/values/value-origins.ts';
import { choosesPidfileMode } from '../render/values/values.ts';
import { buildActivationCommands } from '../service/activate.ts';
import { listFoldersToCreate } from '../service/created-paths.ts';
import { listForeignFolders } from '../state/foreign-folders.ts';
import { listNewVolumes } from '../volumes/volume-folders.ts';
import { checkGivenValues } from './check-given-values.ts';
import { checkSetNames } from './check-set-names.ts';
import { type RenderedConfig, readRuntimeConfig } from './config-text.ts';
import { requireFreeInstallNames } from './free-names.ts';
import { describeLintedImage, judgeFindings, judgeTmpfiles, lintDeployment } from './lint-deployment.ts';
import { listGrants, prepareChanges } from './prepare-changes.ts';
import { bringsRuntimeConfig, type ImageExports, isRunByRuntime, readExports } from './read-exports.ts';
import { planHostFiles } from './read-host-files.ts';
import { type ConfigPatch, digestPatches } from './read-patches.ts';
import { readValues } from './read-values.ts';

interface InstallSubject {
  readonly request: InstallRequest;
  readonly name: ContainerName;
  readonly image: StoredImage;
  /** The image as typed, without the prefix of a source. */
  readonly imageName: string;
  readonly runtime: Runtime;
  /** The number of the new deployment: 0 for a new container, the other number for an update. */
  readonly number: DeploymentNumber;
  readonly patches: readonly ConfigPatch[];
  /** The deployment that is updated. */
  readonly previous?: DeploymentRecord;
}

/** A plan, and the warnings for the person before the service is started (compatibility N-10). */
export interface PreparedInstall {
  readonly plan: InstallPlan;
  /** Absent for an image without a service. */
  readonly checkout: Checkout | undefined;
  readonly warnings: readonly string[];
}

/**
 * Reads the image and renders every file of the new container. Changes nothing.
 *
 * @throws EXPORTS_INVALID, TEMPLATE_INVALID, TEMPLATE_UNSET_VARIABLE, CONFIG_INVALID, MANIFEST_INVALID, BAD_VALUE,
 *   FILE_CONFLICT, MANIFEST_UNSUPPORTED
 */
export async function prepareInstall(host: Host, subject: InstallSubject): Promise<PreparedInstall> {
  const { name, image, imageName, runtime, number, request, previous, patches } = subject;
  const deployment = buildDeploymentPaths(buildDeploymentFolder(host.locations, name, number), name);
  const tree = openImageTree(host, image);
  const exports = readExports(tree, `${deployment.rootfs}/exports`, imageName);
  const changed = await prepareChanges({
    tree,
    exports,
    runtime: runtime.path,
    options: request.options,
    patches,
  });
  const hasService = !exports.manifest.noContainerService;
  const imageConfig = await readNeededImageConfig(host, subject, exports);
  const pidfileMode = hasService && (await readPidfileMode(host, runtime, exports));
  const values = await readValues(host, subject, { exports, deployment: deployment.folder, pidfileMode });

  const unused = checkSetNames(host, request.checkedNames, { image, tree, exports, values });
  const readable = await checkGivenValues(imageName, exports, values, request);

  const config = needsRuntimeConfig(exports)
    ? await readRuntimeConfig(
        host,
        { tree, exports, imageConfig, values, changed, name, secrets: request.secrets },
        deployment,
      )
    : undefined;
  const marker = { name, deployment: number, checkouts: host.locations.checkouts };
  const unit = hasService
    ? buildUnit(
        {
          template: exports.serviceTemplate,
          marker,
          stopSignal: imageConfig.stopSignal,
          stopTimeout: changed.changes.stopTimeout,
        },
        values,
      )
    : undefined;
  const wholeUnit =
    unit === undefined
      ? undefined
      : `${unit}${formatSecretLines(name, request.secrets, config?.secrets?.owner)}`;
  const template = exports.serviceTemplate;
  if (unit !== undefined && template !== undefined) {
    await requireFreeInstallNames(host, name, unit, template.file);
  }
  const volumes = config?.volumes ?? [];
  const missingSources = (await listMissingSources(config, previous?.createdFolders ?? [])).filter(
    (path) => path !== config?.secrets?.source,
  );
  const owner = { uid: host.uid, gid: host.gid };
  const tmpfiles = buildTmpfiles(
    { template: exports.tmpfilesTemplate, marker, missingSources, ...owner },
    values,
  );
  if (exports.tmpfilesTemplate !== undefined)
    await judgeTmpfiles(host, exports.tmpfilesTemplate.file, tmpfiles);

  const hostFiles = await planHostFiles(host, {
    ...{ name, image, manifest: exports.manifest, values, rootfs: deployment.rootfs },
    ...{ previous: previous?.hostFiles ?? noHostFiles, keepsNew: request.keepsNew ?? false },
  });
  const record: InstallPlan['record'] = {
    image: imageName,
    revision: image.id,
    ostreeCommit: image.commit,
    created: Math.floor(Date.now() / 1000),
    values,
    hasContainerService: hasService,
    runtime: runtime.path,
    hostFiles: hostFiles.record,
    volumes: volumes.map(({ path }) => path),
    foreignFolders: await listForeignFolders(name, values, previous),
    createdFolders: tmpfiles === undefined ? [] : await listFoldersToCreate(host, tmpfiles),
    secrets: request.secrets,
    valueOrigins: findOrigins(
      values,
      request.values,
      exports.manifest.defaultValues,
      Object.keys(request.secrets),
    ),
    options: request.options,
    patches: digestPatches(patches),
    ...(exports.manifest.stateVersion === undefined ? {} : { stateVersion: exports.manifest.stateVersion }),
  };
  const ownPrograms = [deployment.folder, ...hostFiles.files.map(({ path }) => path)];
  const lint = lintDeployment(host, {
    ...{ name, unit: wholeUnit, values, runtime: findRuntimeKind(runtime.path) },
    config: isRunByRuntime(exports) ? config?.text : undefined,
    image: describeLintedImage(tree, imageConfig, bringsRuntimeConfig(exports)),
    isExpected: (program) => ownPrograms.some((path) => program === path || program.startsWith(`${path}/`)),
  });
  // The program that looks at the unit runs by then.
  const reading = hasService ? nextTurn().then(() => readCheckout(host, image.commit)) : undefined;
  const [findings, checkout] = await waitForBoth(lint, reading);
  const path = deployment.config;
  const tolerated = judgeFindings(findings, { name, path, skipsLint: request.skipsLint ?? false });
  const judge = (text: string | undefined) =>
    listPrivileges({
      ...{ folder: deployment.folder, runtime: runtime.path, config: text, tmpfiles },
      ...{ hostFiles: hostFiles.files, ownFolders: listOwnFolders(name, record) },
      units: unit === undefined ? [] : [unit],
    });
  const asks = judge(config?.asked);
  const paths = buildContainerPaths(host.locations, name);
  const files = [
    planFile('config', deployment.config, config?.text),
    planFile('tmpfiles', paths.tmpfiles, tmpfiles),
    planFile('unit', paths.service, wholeUnit),
    planFile('info', deployment.info, formatInfo(record)),
  ].filter((file) => file !== undefined);
  const commands = buildActivationCommands(files, bringsUnits(hostFiles.record));
  return {
    plan: {
      ...{ name, image: imageName, deployment: deployment.folder, record, files, asks, commands },
      grants: listGrants(judge(config?.unchanged), asks, changed),
      ...{ hostFiles: hostFiles.files, hostFolders: hostFiles.folders, keptFiles: hostFiles.kept },
      ...{ volumes, newVolumes: await listNewVolumes(volumes) },
    },
    checkout,
    warnings: [
      ...exports.manifest.warnings,
      ...unused,
      ...readable,
      ...listWarnings(exports, deployment.config),
      ...(config?.warnings ?? []),
      ...tolerated,
    ],
  };
}

/** Throws after both have ended, so that nothing of them stays. */
async function waitForBoth<First, Second>(
  first: Promise<First>,
  second: Promise<Second> | undefined,
): Promise<[First, Second | undefined]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** An image that the runtime does not run needs no configuration, but may have one. */
function needsRuntimeConfig(exports: ImageExports): boolean {
  return isRunByRuntime(exports) || bringsRuntimeConfig(exports);
}

function planFile(
  role: PlannedFile['role'],
  path: string,
  content: string | undefined,
): PlannedFile | undefined {
  return content === undefined ? undefined : { role, path, mode: FileMode.public, content };
}

function listWarnings(exports: ImageExports, config: string): readonly string[] {
  if (exports.isPresent) return [];
  return [
    '/exports directory not found.  Default config files will be generated.',
    `You may want to modify \`${config}\` before starting the service`,
  ];
}

/**
 * Except for the defaults, only the label of the image's configuration is needed, and old repositories may not have the
 * configuration (compatibility R-02).
 *
 * @throws MANIFEST_UNSUPPORTED for an image that asks for a single run
 */
async function readNeededImageConfig(
  host: Host,
  { image, imageName }: InstallSubject,
  exports: ImageExports,
): Promise<ImageConfig> {
  const text = await findImageConfig(host, image);
  if (text !== undefined && runsOnce(text, imageName)) throw buildRunsOnce(imageName);
  const isUnused =
    exports.manifest.noContainerService ||
    (exports.serviceTemplate !== undefined && (bringsRuntimeConfig(exports) || !isRunByRuntime(exports)));
  if (isUnused || image.configDigest === undefined) return emptyImageConfig;
  return parseImageConfig(text ?? (await readImageConfig(host, image)), imageName);
}

function buildRunsOnce(image: string): AtomicError {
  return new AtomicError(
    'MANIFEST_UNSUPPORTED',
    `Cannot install ${toPrintable(image)}: its label atomic.run=once asks for one run at installation, which is not supported yet; a service would run it at every boot`,
    {
      hint: 'Run it with another program, such as podman, or build it without the label to install it as a service.',
    },
  );
}

/** Runs the runtime only when the template chooses PID file mode. */
async function readPidfileMode(host: Host, runtime: Runtime, exports: ImageExports): Promise<boolean> {
  const template = exports.serviceTemplate?.text;
  return choosesPidfileMode(template, true) && (await readPidfileSupport(host, runtime));
}

/**
 * Lists the bind sources that do not exist, except the volumes, which an install makes. Sources that the previous deployment created count as missing: after a boot
 * they do not exist, and the new deployment must create them.
 */
async function listMissingSources(
  rendered: RenderedConfig | undefined,
  made: readonly string[],
): Promise<readonly string[]> {
  const sources = rendered === undefined ? [] : listBindSources(rendered.config);
  const existing = new Set(await listExisting(sources));
  const volumes = rendered?.volumes.map(({ folder }) => folder) ?? [];
  return sources
    .filter((source) => !volumes.includes(source))
    .filter((source) => !existing.has(source) || made.includes(source));
}
