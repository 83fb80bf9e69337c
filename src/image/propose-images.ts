/** Proposals for the name of an image that is not stored. */
import { toPrintable } from '../base/printable.ts';
import { findSuggestion } from '../base/suggest.ts';
import { splitName } from './reference.ts';
import { dropRegistryPrefix } from './source-name.ts';

const MAX_PROPOSALS = 5;

/**
 * Finds stored images with similar names: the same repository with other tags, otherwise the same name with another
 * registry or user, otherwise the most similar spelling, first with the same registry and user.
 *
 * @param written the name as typed
 * @param stored full names, with tag or digest
 * @returns the best proposals, at most five, in the order of `stored`
 */
export function proposeImages(written: string, stored: readonly string[]): readonly string[] {
  const wanted = readName(dropRegistryPrefix(written));
  const names = stored.map((reference) => ({ reference, ...readName(reference) }));
  const choices = [
    names.filter(({ repository }) => repository === wanted.repository),
    names.filter(({ repository }) => repository.endsWith(`/${wanted.repository}`)),
    names.filter(({ repository }) => lastElement(repository) === lastElement(wanted.repository)),
    findNearest(
      wanted,
      names.filter(({ repository }) => findPlace(repository) === findPlace(wanted.repository)),
    ),
    findNearest(wanted, names),
  ];
  const found = choices.find((choice) => choice.length > 0) ?? [];
  const sameTag = found.filter(({ tag }) => tag === wanted.tag);
  return (sameTag.length > 0 ? sameTag : found).slice(0, MAX_PROPOSALS).map(({ reference }) => reference);
}

/** @returns a question for the hint of an error; `undefined` without names */
export function formatProposal(similar: readonly string[]): string | undefined {
  if (similar.length === 0) return undefined;
  const names = similar.map((name) => toPrintable(name)).join(', ');
  return `Did you mean ${similar.length > 1 ? 'one of ' : ''}${names}?`;
}

interface Name {
  readonly repository: string;
  readonly tag: string;
}

/** Only the last path element is compared: a long common registry does not make two names similar. */
function findNearest<Stored extends Name>({ repository }: Name, names: readonly Stored[]): readonly Stored[] {
  const nearest = findSuggestion(
    lastElement(repository),
    names.map((name) => lastElement(name.repository)),
  );
  return names.filter((name) => lastElement(name.repository) === nearest);
}

/** A name with a typing error need not be valid. */
function readName(text: string): Name {
  const { repository, tag = 'latest' } = splitName(text);
  return { repository, tag };
}

/** The registry and the user, with the final slash. */
function findPlace(repository: string): string {
  return repository.slice(0, repository.lastIndexOf('/') + 1);
}

function lastElement(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
