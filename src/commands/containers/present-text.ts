import { formatArgv } from '../../base/format-argv.ts';
import { toPrintable } from '../../base/printable.ts';
import type { AlreadyPresent, PresentDifference } from '../../containers/container.ts';

/** A longer value is cut, and the proposed command has the word VALUE in its place. */
const MAX_VALUE = 60;

/**
 * Formats the result of an `install` that found the container. The words "already present" are an interface
 * (compatibility N-06).
 */
export function formatAlreadyPresent({ name, differences }: AlreadyPresent): string {
  if (differences.length === 0) return `${name} already present\n`;
  const groups = [
    ['another image', 'image'],
    ['other values', 'value'],
    ['other options', 'option'],
    ['other secrets', 'secret'],
    ['another runtime', 'runtime'],
  ] as const;
  const parts = groups.flatMap(([heading, kind]) => {
    const items = differences.filter((one) => one.kind === kind).map(formatDifference);
    return items.length === 0 ? [] : [`${heading}: ${items.join(', ')}`];
  });
  return `${name} is already present, with ${parts.join(', and ')}; ${adviseChange(name, differences)}\n`;
}

function formatDifference({ kind, name, installed, asked }: PresentDifference): string {
  if (kind === 'option') {
    return `--${name} ${installed === null ? 'not given' : shorten(installed)} (asked: ${shorten(asked)})`;
  }
  const title = kind === 'value' || kind === 'secret' ? name : '';
  const value = installed === null ? `${title} not set` : `${title}${title && '='}${shorten(installed)}`;
  return `${value} (asked: ${shorten(asked)})`;
}

function adviseChange(name: string, differences: readonly PresentDifference[]): string {
  const options = differences.flatMap(({ kind, name: variable, asked }) => {
    if (kind === 'image') return ['--rebase', asked];
    if (kind === 'value') return ['--set', `${variable}=${shorten(asked) === asked ? asked : 'VALUE'}`];
    if (kind === 'option' && variable !== 'args') return [`--${variable}`, asked];
    if (kind === 'secret') return ['--secret', `${variable}=${asked}`];
    return [];
  });
  if (differences.some(({ kind, name: option }) => kind === 'option' && option === 'args')) {
    options.push('--', 'ARGS');
  }
  const update = `use: ${toPrintable(formatArgv(['atomic', 'containers', 'update', name, ...options]), 1000)}`;
  const reinstall = `to change the runtime, uninstall ${name} and install it again`;
  if (!differences.some(({ kind }) => kind === 'runtime')) return update;
  return options.length === 0 ? reinstall : `${update}; ${reinstall}`;
}

function shorten(text: string): string {
  return toPrintable(text, MAX_VALUE);
}
