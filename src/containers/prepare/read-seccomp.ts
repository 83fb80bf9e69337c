/** Reads the seccomp profile of this host, and the one that a person names. */
import { readFile } from 'node:fs/promises';
import { AtomicError } from '../../base/errors.ts';
import { withFileErrors } from '../../base/file-error.ts';
import { parseJsonObject, type Reject } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import { listExisting } from '../../host/files/existing-paths.ts';
import { readMachineProc } from '../../host/machine-proc.ts';
import { findMachinePlatform } from '../../store/pull/check-platform.ts';
import { lintSeccomp } from '../lint/lint-config.ts';
import type { FilterChoice } from '../render/config/apply-seccomp.ts';
import {
  type FilterMachine,
  parseSeccompProfile,
  type SeccompProfile,
} from '../render/config/seccomp-profile.ts';
import type { SeccompChoice } from '../render/options/security-option.ts';
import { rejectOption } from '../render/options/service-options.ts';
import { readTextOption } from './read-option-file.ts';

/** The default profile of podman; the second comes with the package containers-common, which skopeo needs. */
const defaultProfiles = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'];
/** Missing in a kernel without filters. */
const kernelActions = '/proc/sys/kernel/seccomp/actions_avail';

const MAX_LENGTH = 1024 * 1024;

export interface SeccompFacts {
  readonly machine: FilterMachine;
  /** For the default configuration; undefined when this host has no profile, and for the configuration of an image. */
  readonly byDefault: SeccompProfile | undefined;
  /** `--security-opt`. */
  readonly given: FilterChoice | undefined;
}

/**
 * @param choice of `--security-opt`
 * @param isDefault whether atomic makes the configuration
 * @throws BAD_VALUE for a profile of the person, SETTINGS_INVALID for that of the host
 */
export async function readSeccomp(
  choice: SeccompChoice | undefined,
  isDefault: boolean,
): Promise<SeccompFacts> {
  return {
    machine: {
      architecture: findMachinePlatform().architecture,
      kernel: await readMachineProc('/proc/sys/kernel/osrelease'),
    },
    byDefault: isDefault ? await readDefaultProfile() : undefined,
    given: choice?.kind === 'profile' ? await readGivenProfile(choice.path) : choice?.kind,
  };
}

async function readDefaultProfile(): Promise<SeccompProfile | undefined> {
  const [actions] = await listExisting([kernelActions]);
  const [path] = await listExisting(defaultProfiles);
  if (actions === undefined || path === undefined) return undefined;
  const text = await withFileErrors(`read ${path}`, () => readFile(path, 'utf8'));
  return parseProfile(
    text,
    (problem) =>
      new AtomicError(
        'SETTINGS_INVALID',
        `Cannot use the seccomp profile ${path}: ${toPrintable(problem, 200)}`,
        {
          hint: 'Correct the file, or reinstall its package; --security-opt seccomp=unconfined does without it.',
        },
      ),
  );
}

async function readGivenProfile(path: string): Promise<SeccompProfile> {
  const text = await readTextOption('--security-opt', path);
  return parseProfile(text, (problem) =>
    rejectOption(
      'security-opt',
      `seccomp=${path}`,
      toPrintable(problem, 200),
      'The file has the form of /usr/share/containers/seccomp.json.',
    ),
  );
}

function parseProfile(text: string, reject: Reject): SeccompProfile {
  const document = parseJsonObject(text, MAX_LENGTH, reject);
  const profile = parseSeccompProfile(document, reject);
  const [fault] = lintSeccomp(document);
  if (fault !== undefined) throw reject(`${fault.where} ${fault.problem}`);
  return profile;
}
