/** Which variables an image uses: a value for any other name would change nothing. */
import { AtomicError } from '../../../base/errors.ts';
import { findSuggestion } from '../../../base/suggest.ts';
import { forcedVariables, systemVariables } from './values.ts';

/**
 * Names that widespread callers of the original pass to every image, also to those that do not use them: OpenStack Magnum,
 * and the playbooks for OpenShift (compatibility N-07). They go on with a warning.
 */
const namesOfCallers: ReadonlySet<string> = new Set([
  ...['ADDTL_MOUNTS', 'REQUESTS_CA', 'REQUESTS_CA_BUNDLE'],
  ...['COMMAND', 'DNS_DOMAIN', 'DOCKER_SERVICE', 'MASTER_SERVICE', 'NODE_SERVICE'],
]);

/**
 * Refuses names that the image does not use.
 *
 * @param given names of `--set`
 * @param used the variables of the image; the variables of the system need not be among them
 * @returns a warning for each name of `namesOfCallers` that the image does not use
 * @throws BAD_VALUE, with all other unused names
 */
export function requireUsedNames(given: readonly string[], used: readonly string[]): readonly string[] {
  const own = [...new Set(used)].filter((name) => !forcedVariables.has(name)).sort();
  const unused = given.filter((name) => !own.includes(name) && !systemVariables.has(name));
  const refused = unused.filter((name) => !namesOfCallers.has(name));
  if (refused.length > 0) throw buildUnused(refused, own);
  return unused.map((name) => `--set ${name} has no effect: the image does not use ${name}`);
}

/** The longest list of variables in a hint. */
const MAX_LISTED = 20;

function buildUnused(refused: readonly string[], own: readonly string[]): AtomicError {
  const candidates = [...own, ...systemVariables];
  const meant = refused.flatMap((name) => findMeant(name, candidates) ?? []);
  const proposal = meant.length === 0 ? '' : `Did you mean ${meant.join(' and ')}? `;
  const others = own.filter((name) => !systemVariables.has(name));
  const listed = [...others.slice(0, MAX_LISTED), ...(others.length > MAX_LISTED ? ['...'] : [])];
  const list =
    others.length === 0
      ? 'It has no variables of its own. '
      : `${others.length === 1 ? 'Its variable is' : 'Its variables are'} ${listed.join(', ')}. `;
  return new AtomicError(
    'BAD_VALUE',
    `Cannot set ${refused.join(' and ')}: the image uses no variable of ${refused.length === 1 ? 'that name' : 'these names'}`,
    {
      hint: `${proposal}${list}--set-any NAME=VALUE accepts any name.`,
      details: { unused: refused, suggestions: meant },
    },
  );
}

/** A name in other letters, such as `port`, is the same to a person. */
function findMeant(name: string, candidates: readonly string[]): string | undefined {
  const byUpper = new Map(candidates.map((candidate) => [candidate.toUpperCase(), candidate]));
  const meant = findSuggestion(name.toUpperCase(), [...byUpper.keys()]);
  return meant === undefined ? undefined : byUpper.get(meant);
}
