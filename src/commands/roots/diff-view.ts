/** The output of `diff`, as lines and as a document. */

import { escapeText } from '../../cli/output/escape-text.ts';
import {
  type Aspect,
  type FileChange,
  type FileNode,
  formatMode,
  formatOwner,
  listFilePrivileges,
  listGainedPrivileges,
} from '../../store/file-change.ts';

const letters = { added: 'A', removed: 'D', changed: 'C' } as const;

/**
 * Formats one line for each path, then the files that gain privileges, then the numbers.
 *
 * @returns an empty text without changes
 */
export function formatDiff(changes: readonly FileChange[]): string {
  if (changes.length === 0) return '';
  const lines = changes.map(formatChange);
  const gains = listGains(changes).map(({ path, gained }) => `  ${escapeLine(path)}  ${gained.join(', ')}`);
  const count = (kind: FileChange['kind']): number => changes.filter((change) => change.kind === kind).length;
  return [
    ...lines,
    '',
    ...(gains.length === 0 ? [] : ['New privileges:', ...gains, '']),
    `${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`,
    '',
  ].join('\n');
}

/** Builds the members `changes` and `privileges` of `--json`. */
export function buildDiffJson(changes: readonly FileChange[]): Readonly<Record<string, unknown>> {
  return { changes: changes.map(buildChangeJson), privileges: listGains(changes) };
}

function listGains(changes: readonly FileChange[]): { path: string; gained: readonly string[] }[] {
  return changes
    .map((change) => ({ path: change.path, gained: listGainedPrivileges(change) }))
    .filter(({ gained }) => gained.length > 0);
}

function formatChange(change: FileChange): string {
  const head = `${letters[change.kind]} ${escapeLine(change.path)}`;
  return change.kind === 'changed' ? `${head}  (${change.aspects.map(formatAspect).join(', ')})` : head;
}

function formatAspect(aspect: Aspect): string {
  switch (aspect.what) {
    case 'content':
      return 'content';
    case 'xattr': {
      const verb = aspect.before === undefined ? 'added' : aspect.after === undefined ? 'removed' : 'changed';
      return `xattr ${escapeLine(aspect.name)} ${verb}`;
    }
    default:
      return `${aspect.what} ${formatSide(aspect.before)} -> ${formatSide(aspect.after)}`;
  }
}

function formatSide(value: string | number | undefined): string {
  return value === undefined ? 'none' : escapeLine(String(value));
}

/** Names come from an image: control characters in them must not reach the terminal. */
function escapeLine(text: string): string {
  return escapeText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function buildChangeJson(change: FileChange): unknown {
  const { kind, path } = change;
  switch (change.kind) {
    case 'added':
      return { change: kind, path, after: buildNodeJson(change.after) };
    case 'removed':
      return { change: kind, path, before: buildNodeJson(change.before) };
    case 'changed':
      return {
        change: kind,
        path,
        before: buildNodeJson(change.before),
        after: buildNodeJson(change.after),
        aspects: change.aspects.map(buildAspectJson),
      };
  }
}

function buildNodeJson(node: FileNode): unknown {
  const { type, size = null, target = null } = node;
  const mode = type === 'symlink' ? null : formatMode(node.mode);
  return { type, mode, owner: formatOwner(node), size, target, privileges: listFilePrivileges(node) };
}

function buildAspectJson(aspect: Aspect): unknown {
  if (aspect.what === 'content') return aspect;
  if (aspect.what !== 'xattr') {
    return { what: aspect.what, before: aspect.before ?? null, after: aspect.after ?? null };
  }
  const { what, name, before, after } = aspect;
  return { what, name, before: before?.toString('base64') ?? null, after: after?.toString('base64') ?? null };
}
