/** What a person may have meant by the name of an image that is not stored. */
import { toPrintable } from '../base/printable.ts';
import { findSuggestion } from '../base/suggest.ts';
import { dropRegistryPrefix } from './source-name.ts';

const MAX_PROPOSALS = 5;

/**
 * Finds stored images whose names are like the written one: the same repository with other tags, then the same name behind
 * another registry or user, then the nearest one by letters, first in the same place.
 *
 * @param written as a person typed it
 * @param stored full names, with tag or digest
 * @returns the best of them, at most five, in their order
 */
export function proposeImages(written: string, stored: readonly string[]): readonly string[] {
  const wanted = splitName(dropRegistryPrefix(written));
  const names = stored.map((reference) => ({ reference, ...splitName(reference) }));
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

/** Only the last part is compared: two names behind one long registry are not alike for that. */
function findNearest<Stored extends Name>({ repository }: Name, names: readonly Stored[]): readonly Stored[] {
  const nearest = findSuggestion(
    lastElement(repository),
    names.map((name) => lastElement(name.repository)),
  );
  return names.filter((name) => lastElement(name.repository) === nearest);
}

/** Of a name that may be none: only its separators are looked at. */
function splitName(name: string): Name {
  const [, repository = name, tag = 'latest'] = /^([^@]*?)(?::([^:/@]*)|@.*)?$/.exec(name) ?? [];
  return { repository, tag };
}

/** Registry and user. */
function findPlace(repository: string): string {
  return repository.slice(0, repository.lastIndexOf('/') + 1);
}

function lastElement(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
