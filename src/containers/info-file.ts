import { normalize } from 'node:path/posix';
import { AtomicError } from '../base/errors.ts';
import {
  expectBoolean,
  expectObject,
  expectString,
  expectStringMap,
  expectStrings,
} from '../base/json-shape.ts';
import { type JsonObject, parseJsonObject, type Reject } from '../base/json-text.ts';
import { toPrintable } from '../base/printable.ts';
import { type Checksum, isChecksum } from '../image/checksum.ts';
import type { DeploymentRecord, RecordedCommit } from './container.ts';
import type { HostFilesRecord } from './render/hostfiles/host-file.ts';
import { isOptionName, type ServiceOptions } from './render/options/service-options.ts';
import { isValueOrigin, type ValueOrigins } from './render/values/value-origins.ts';

/** The limit is far above the length of all values of a container. */
const maxLength = 16 * 1024 * 1024;

/**
 * Formats the `info` file of a deployment (compatibility O-11): all keys in their order, 4 spaces, a final newline.
 * Keys for packages and a foreign rootfs have the value for "none". The original does not read the keys after
 * `runtime`.
 */
export function formatInfo(record: DeploymentRecord): string {
  const info = {
    image: record.image,
    revision: record.revision,
    'ostree-commit': record.ostreeCommit,
    created: record.created,
    values: record.values,
    'has-container-service': record.hasContainerService,
    'installed-files': record.hostFiles.paths,
    'installed-files-checksum': record.hostFiles.checksums,
    'installed-files-template': record.hostFiles.templates,
    'rename-installed-files': record.hostFiles.renames,
    'rpm-installed': null,
    'system-package': 'no',
    remote: null,
    'use-links': record.hostFiles.useLinks,
    runtime: record.runtime,
    'created-folders': record.createdFolders,
    'value-origins': record.valueOrigins,
    ...(isEmpty(record.options) ? {} : { options: record.options }),
    ...(isEmpty(record.patches) ? {} : { patches: record.patches }),
    ...(Object.keys(record.secrets).length === 0 ? {} : { secrets: record.secrets }),
    ...(record.stateVersion === undefined ? {} : { 'state-version': record.stateVersion }),
    ...(record.volumes.length === 0 ? {} : { volumes: record.volumes }),
    ...(record.foreignFolders.length === 0 ? {} : { 'foreign-folders': record.foreignFolders }),
    ...(record.hostFiles.paths.length === 0
      ? {}
      : {
          'installed-links': record.hostFiles.links,
          'created-host-folders': record.hostFiles.folders,
        }),
  };
  return `${JSON.stringify(info, undefined, 4)}\n`;
}

/**
 * Parses an `info` file. The original or an older version may have written it, so absent keys get the defaults of
 * compatibility O-11.
 *
 * @param text the file
 * @param path name of the file in errors
 * @param defaultRuntime the runtime for a file without one
 * @throws CONTAINER_DAMAGED when it is not JSON or a key has the wrong type
 */
export function parseInfo(text: string, path: string, defaultRuntime: string): DeploymentRecord {
  const reject: Reject = (problem) =>
    new AtomicError('CONTAINER_DAMAGED', `Cannot read ${toPrintable(path)}: ${toPrintable(problem)}`, {
      hint: 'Uninstall the container and install it again; its image and its data stay.',
      details: { path, problem },
    });
  if (text.trim() === '') throw reject('it is empty');
  const info = parseJsonObject(text, maxLength, reject);
  return {
    image: expectString(info.image, 'image', reject),
    revision: expectString(info.revision, 'revision', reject),
    ostreeCommit: readCommit(expectString(info['ostree-commit'], 'ostree-commit', reject)),
    created: parseCreated(info.created, reject),
    values: parseValues(info.values, reject),
    hasContainerService: expectBoolean(info['has-container-service'], 'has-container-service', true, reject),
    runtime: expectString(info.runtime, 'runtime', reject) || defaultRuntime,
    hostFiles: parseHostFiles(info, reject),
    volumes: expectStrings(info.volumes, 'volumes', reject),
    foreignFolders: expectStrings(info['foreign-folders'], 'foreign-folders', reject),
    createdFolders: expectStrings(info['created-folders'], 'created-folders', reject),
    valueOrigins: parseOrigins(info['value-origins'], reject),
    options: parseRecordedOptions(info.options, reject),
    patches: expectStringMap(info.patches, 'patches', reject),
    secrets: expectStringMap(info.secrets, 'secrets', reject),
    ...(info['state-version'] === undefined
      ? {}
      : { stateVersion: expectString(info['state-version'], 'state-version', reject) }),
  };
}

/**
 * Whether a record names the image of the deployment. A file of the original may have only one of id and commit; a commit
 * that is not a checksum is damage.
 */
export function namesImage({ revision, ostreeCommit }: DeploymentRecord): boolean {
  return ostreeCommit === '' ? revision !== '' : ostreeCommit !== 'damaged';
}

/** @throws CONTAINER_DAMAGED when the record of a container does not name the commit of its image */
export function requireCommit(commit: RecordedCommit, name: string): Checksum {
  if (isChecksum(commit)) return commit;
  throw new AtomicError(
    'CONTAINER_DAMAGED',
    `reading the container ${toPrintable(name)}: its info file does not name the commit of its image`,
    { hint: 'Uninstall the container and install it again; its image and its data stay.' },
  );
}

function readCommit(text: string): RecordedCommit {
  return text === '' || isChecksum(text) ? text : 'damaged';
}

/** The original writes the path of a file in the root as `/./name`. */
function parseHostFiles(info: JsonObject, reject: Reject): HostFilesRecord {
  const strings = (key: string) => expectStrings(info[key], key, reject);
  const map = (key: string) => expectStringMap(info[key], key, reject);
  const checksums = Object.entries(map('installed-files-checksum'));
  return {
    paths: strings('installed-files').map((path) => normalize(path)),
    checksums: Object.fromEntries(checksums.map(([path, checksum]) => [normalize(path), checksum])),
    templates: strings('installed-files-template'),
    renames: map('rename-installed-files'),
    useLinks: expectBoolean(info['use-links'], 'use-links', true, reject),
    links: map('installed-links'),
    folders: strings('created-host-folders'),
  };
}

function parseCreated(value: unknown, reject: Reject): number {
  if (value === undefined || value === null) return 0;
  // `Date` has no later date.
  if (typeof value !== 'number' || value < 0 || value > 8.64e12) {
    throw reject('created must be a number of seconds');
  }
  return Math.floor(value);
}

function parseOrigins(value: unknown, reject: Reject): ValueOrigins | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = Object.entries(expectStringMap(value, 'value-origins', reject)).map(([name, origin]) => {
    if (!isValueOrigin(origin)) throw reject(`value-origins.${name} is not known`);
    return [name, origin] as const;
  });
  return Object.fromEntries(entries);
}

/** A newer version may have recorded an option that this one does not know: an update would lose it. */
function parseRecordedOptions(value: unknown, reject: Reject): ServiceOptions {
  const entries = Object.entries(expectObject(value, 'options', reject)).map(([name, words]) => {
    if (!isOptionName(name)) throw reject(`options.${name} is not known`);
    return [name, expectStrings(words, `options.${name}`, reject)] as const;
  });
  return Object.fromEntries(entries);
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

function parseValues(value: unknown, reject: Reject): Readonly<Record<string, string | number>> {
  const entries = Object.entries(expectObject(value, 'values', reject)).map(([name, item]) => {
    if (typeof item !== 'string' && typeof item !== 'number') {
      throw reject(`values.${name} must be a string or a number`);
    }
    return [name, item] as const;
  });
  return Object.fromEntries(entries);
}
