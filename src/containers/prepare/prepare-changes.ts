/** The changes of a person to the service of an image: whether they are possible, and what they grant. */
import { AtomicError } from '../../base/errors.ts';
import type { ImageTree } from '../../store/image-files.ts';
import { listWidening, type Privilege } from '../consent/privilege.ts';
import { parseOptions } from '../render/options/parse-options.ts';
import { formatOptions, type ServiceOptions } from '../render/options/service-options.ts';
import { type ConfigChanges, changesConfig } from './change-config.ts';
import { lookAtOptions } from './look-at-options.ts';
import { bringsRuntimeConfig, type ImageExports, isRunByRuntime } from './read-exports.ts';
import type { ConfigPatch } from './read-patches.ts';
import { readSeccomp } from './read-seccomp.ts';

interface ChangeSubject {
  readonly tree: ImageTree;
  readonly exports: ImageExports;
  /** Path of the OCI runtime. */
  readonly runtime: string;
  readonly options: ServiceOptions;
  readonly patches: readonly ConfigPatch[];
}

/** @throws BAD_VALUE for options that are not possible; CONFIG_INVALID for patches of an image without a configuration */
export async function prepareChanges(subject: ChangeSubject): Promise<ConfigChanges> {
  const { tree, exports, runtime, options, patches } = subject;
  const changes = parseOptions(options);
  requireEffect(subject);
  const isDefault = !bringsRuntimeConfig(exports);
  return {
    ...{ patches, options, changes },
    facts: await lookAtOptions(changes, { tree, runtime, isDefault }),
    seccomp: await readSeccomp(changes.seccomp, isDefault),
  };
}

/** Without the OCI runtime, no program would read the configuration. */
function requireEffect({ exports, options, patches }: ChangeSubject): void {
  const [first = ''] = formatOptions(options);
  if (exports.manifest.noContainerService && first !== '') {
    throw new AtomicError('BAD_VALUE', `${first}: the image has no service`, {
      hint: 'Leave the option out: the files of the image do not run.',
    });
  }
  if (isRunByRuntime(exports) || !changesConfig({ options, patches })) return;
  const [patch] = patches;
  if (patch !== undefined) {
    throw new AtomicError(
      'CONFIG_INVALID',
      `Cannot use the patch ${patch.path}: the unit of the image does not start the service with an OCI runtime`,
      { hint: 'Remove the file.' },
    );
  }
  throw new AtomicError(
    'BAD_VALUE',
    `${first}: the unit of the image does not start the service with an OCI runtime`,
    { hint: 'Change its unit with `systemctl edit NAME` after the install.' },
  );
}

/**
 * Lists the privileges that the deployment has because of the person, who needs not consent to them.
 *
 * @param before what the image asks for
 * @param after what the deployment asks for
 */
export function listGrants(
  before: readonly Privilege[],
  after: readonly Privilege[],
  { options }: Pick<ConfigChanges, 'options'>,
): readonly Privilege[] {
  const added = listWidening(before, after);
  // The default configuration is made for the user of the option.
  const users = options.user === undefined ? [] : after.filter(({ kind }) => kind === 'user');
  return [...added, ...users.filter((user) => !added.includes(user))];
}
