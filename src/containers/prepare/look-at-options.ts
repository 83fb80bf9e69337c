/** Compares the options of a person with the host and the image. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { AtomicError } from '../../base/errors.ts';
import { isErrno, toFileError } from '../../base/file-error.ts';
import { readMachineProc } from '../../host/machine-proc.ts';
import { type ProcessUser, resolveUser } from '../../image/user-lookup.ts';
import { listCapabilities } from '../../ostree/capabilities.ts';
import type { ImageTree } from '../../store/image-files.ts';
import { findRuntimeKind } from '../lint/finding.ts';
import type { DeviceNode, OptionFacts } from '../render/options/apply-options.ts';
import type { Device } from '../render/options/device-option.ts';
import type { Volume } from '../render/options/mount-options.ts';
import type { ServiceChanges } from '../render/options/parse-options.ts';
import { rejectOption } from '../render/options/service-options.ts';
import type { Ulimit } from '../render/options/ulimit-option.ts';
import { MAX_USER_FILE_BYTES } from './default-config.ts';

const CGROUPS = '/sys/fs/cgroup';

interface OptionContext {
  readonly tree: ImageTree;
  /** Path of the OCI runtime. */
  readonly runtime: string;
  readonly isDefault: boolean;
}

/** @throws BAD_VALUE for a source that is not there, a user whom the image does not have, and a limit above the host's */
export async function lookAtOptions(
  changes: ServiceChanges,
  { tree, runtime, isDefault }: OptionContext,
): Promise<OptionFacts> {
  for (const volume of changes.volumes) requireSource(volume);
  for (const ulimit of changes.ulimits) await requireAllowed(ulimit);
  requireControllers(changes);
  return {
    isDefault,
    user: findUser(tree, changes.user),
    nodes: changes.devices.map((device) => readNode(device)),
    deniesDevices: findRuntimeKind(runtime) !== 'crun',
    capabilities: listCapabilities(Number(await readMachineProc('/proc/sys/kernel/cap_last_cap'))),
  };
}

/** @throws BAD_VALUE when the image does not have the user */
function findUser(tree: ImageTree, user: string | undefined): ProcessUser | undefined {
  if (user === undefined) return undefined;
  const read = (file: string): string => tree.readFile(file, MAX_USER_FILE_BYTES)?.toString() ?? '';
  return resolveUser(user, { passwd: read('etc/passwd'), group: read('etc/group') }, ({ reason }) =>
    rejectOption(
      'user',
      user,
      `the image does not have it: ${reason}`,
      'Use numbers, --user 1000:1000, or a user of the image.',
    ),
  );
}

function requireSource({ source, destination }: Volume): void {
  const status = look(source);
  const reject = (reason: string, hint: string): Error =>
    rejectOption('volume', `${source}:${destination}`, reason, hint);
  if (status === undefined) throw reject('the source does not exist', `Make it first: mkdir -p ${source}`);
  if (status.isBlockDevice() || status.isCharacterDevice()) {
    throw reject('the source is a device', `Use --device ${source}:${destination} .`);
  }
}

function readNode({ source, path }: Device): DeviceNode {
  const status = look(source);
  const reject = (reason: string, hint: string): Error =>
    rejectOption('device', source === path ? source : `${source}:${path}`, reason, hint);
  if (status === undefined)
    throw reject('there is no such device', 'ls /dev lists the devices of this host.');
  const isBlock = status.isBlockDevice();
  if (!isBlock && !status.isCharacterDevice()) {
    throw reject(
      `it is no device but a ${status.isDirectory() ? 'folder' : 'file'}`,
      'Name each device; for files and folders use --volume.',
    );
  }
  const { major, minor } = splitDeviceNumber(status.rdev);
  return {
    ...{ type: isBlock ? 'b' : 'c', major, minor },
    ...{ mode: status.mode & 0o777, uid: status.uid, gid: status.gid },
  };
}

/** As `gnu_dev_major` and `gnu_dev_minor`; the numbers are 12 and 20 bits of the kernel's. */
function splitDeviceNumber(rdev: number): { readonly major: number; readonly minor: number } {
  const high = Math.floor(rdev / 2 ** 32);
  const low = rdev % 2 ** 32;
  return {
    major: ((low >>> 8) & 0xfff) + (high & ~0xfff),
    minor: (low & 0xff) + (Math.floor(low / 2 ** 12) & 0xfff00),
  };
}

/** The kernel refuses the start of a process with a higher limit of open files. */
async function requireAllowed({ name, soft, hard }: Ulimit): Promise<void> {
  if (name !== 'nofile') return;
  const most = BigInt((await readMachineProc('/proc/sys/fs/nr_open')).trim());
  if (hard <= most) return;
  throw rejectOption(
    'ulimit',
    `nofile=${soft}:${hard}`,
    `this host allows at most ${most} open files`,
    `Choose a lower limit, or raise it: sysctl fs.nr_open=NUMBER`,
  );
}

/** Kernels may be built or started without a controller; then the runtime does not start the container. */
function requireControllers({ memory, cpuQuota, pids }: ServiceChanges): void {
  const needed = [
    ...(memory === undefined ? [] : [['memory', 'memory'] as const]),
    ...(cpuQuota === undefined ? [] : [['cpus', 'cpu'] as const]),
    ...(pids === undefined ? [] : [['pids-limit', 'pids'] as const]),
  ];
  if (needed.length === 0) return;
  const available = listControllers();
  for (const [option, controller] of needed) {
    if (available.includes(controller)) continue;
    throw new AtomicError(
      'BAD_VALUE',
      `--${option}: the control groups of this host cannot limit it: there is no controller '${controller}' in ${CGROUPS}`,
      { hint: 'Leave the option out, or enable the controller with a parameter of the kernel.' },
    );
  }
}

/** Of cgroup v2, and the folders of cgroup v1. */
function listControllers(): readonly string[] {
  const file = `${CGROUPS}/cgroup.controllers`;
  return look(file) === undefined
    ? ['memory', 'cpu', 'pids'].filter((name) => look(`${CGROUPS}/${name}/cgroup.procs`) !== undefined)
    : readFileSync(file, 'utf8').split(/\s+/);
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) return undefined;
    throw toFileError(error, `look at ${path}`);
  }
}
