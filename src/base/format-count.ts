/** Formats a number with its noun: `1 object`, `17 objects`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
