/** A line that only one of two texts has, with its position. */
export interface LineChange {
  readonly change: 'removed' | 'added';
  readonly text: string;
}

/**
 * With more pairs of lines, the middle of both texts counts as replaced, because the table of pairs would need too much
 * memory.
 */
const MAX_PAIRS = 4_000_000;

/** Lists the lines in which two texts differ, in their order: the smallest set of removed and added lines. */
export function compareLines(before: string, after: string): readonly LineChange[] {
  const [old, young] = [splitLines(before), splitLines(after)];
  let start = 0;
  while (start < old.length && start < young.length && old[start] === young[start]) start++;
  let end = 0;
  while (
    end < Math.min(old.length, young.length) - start &&
    old[old.length - 1 - end] === young[young.length - 1 - end]
  ) {
    end++;
  }
  return compareMiddle(old.slice(start, old.length - end), young.slice(start, young.length - end));
}

function compareMiddle(old: readonly string[], young: readonly string[]): readonly LineChange[] {
  const removed = old.map((text) => ({ change: 'removed', text }) as const);
  const added = young.map((text) => ({ change: 'added', text }) as const);
  if (old.length * young.length > MAX_PAIRS) return [...removed, ...added];
  const width = young.length + 1;
  // lengths[i * width + j]: the longest common sequence of the lines from i and from j on.
  const lengths = new Uint32Array((old.length + 1) * width);
  const read = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = young.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        old[i] === young[j] ? read(i + 1, j + 1) + 1 : Math.max(read(i + 1, j), read(i, j + 1));
    }
  }
  const changes: LineChange[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < young.length) {
    if (old[i] === young[j]) {
      i++;
      j++;
    } else if (read(i + 1, j) >= read(i, j + 1)) changes.push(...removed.slice(i, ++i));
    else changes.push(...added.slice(j, ++j));
  }
  return [...changes, ...removed.slice(i), ...added.slice(j)];
}

function splitLines(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
