import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';

declare const brand: unique symbol;

/** A checked container name: also the name of its unit, its OCI container and its folder. */
export type ContainerName = string & { readonly [brand]: 'ContainerName' };

/** The parts of an image reference that make the default name of a container. */
interface NameParts {
  /** Reference without tag and digest: `reg:5000/gscrivano/etcd`. */
  readonly repository: string;
  readonly tag: string | undefined;
}

/**
 * The longest name. File names and unit names may have 255 characters. The other 55 are for prefixes and suffixes:
 * `runc-NAME.scope`, `tmpfiles-NAME.conf`, `NAME.service`, and temporary files.
 */
const maxLength = 200;

/** systemctl does not add `.service` to a name such as `x.socket`; runc reads `x.slice` as a slice. */
const unitSuffix = /\.(?:service|socket|device|mount|automount|swap|target|path|timer|snapshot|slice|scope)$/;

/** The hint for a person who chooses a name. */
const adviceForNewName = 'Choose a name with --name NAME.';
/** The hint for a person who mistyped the name of a container. */
export const adviceForExistingName = '`atomic containers list -a` shows the names.';

/**
 * Checks a container name. It may have the characters that both systemd (unit names) and runc (container ids) accept.
 *
 * @param advice the first sentence of the hint
 * @throws BAD_VALUE with the reason and a proposal
 */
export function parseContainerName(text: string, advice = adviceForNewName): ContainerName {
  const problem = findProblem(text, advice);
  if (problem === undefined) return text as ContainerName;
  throw new AtomicError('BAD_VALUE', `Invalid container name '${toPrintable(text, 80)}': ${problem.reason}`, {
    hint: problem.hint,
  });
}

/**
 * Builds the default name of a container (compatibility I-10): the last part of the repository,
 * and `-TAG` unless the tag is `latest`.
 *
 * @throws BAD_VALUE when the result is not a container name
 */
export function buildDefaultName(image: NameParts): ContainerName {
  const base = image.repository.slice(image.repository.lastIndexOf('/') + 1);
  const tagged = image.tag !== undefined && image.tag !== 'latest';
  return parseContainerName(tagged ? `${base}-${image.tag}` : base);
}

function findProblem(text: string, hint: string): { reason: string; hint: string } | undefined {
  if (text === '') return { reason: 'it is empty', hint };
  if (text.includes('@')) {
    return {
      reason: "'@' is for template units of systemd",
      hint: `${hint} Install each instance by itself.`,
    };
  }
  const bad = text.match(/[^A-Za-z0-9_.-]/u);
  if (bad !== null) {
    return { reason: `only letters, digits, '_', '-' and '.' are allowed in it`, hint };
  }
  if (/^[.-]/.test(text)) return { reason: `it must not start with '${text[0]}'`, hint };
  if (text.includes('..')) return { reason: "it must not contain '..'", hint };
  if (text.length > maxLength) return { reason: `it is longer than ${maxLength} characters`, hint };
  const suffix = text.match(unitSuffix)?.[0];
  if (suffix !== undefined) {
    return {
      reason: `'${suffix}' at its end would name another unit`,
      hint: `${hint} Leave '${suffix}' out.`,
    };
  }
  return undefined;
}
