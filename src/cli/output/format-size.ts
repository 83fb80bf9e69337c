const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

/**
 * Formats a number of bytes with decimal units and, above bytes, two digits: `228.09 MB` (compatibility M-05).
 */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.995 would be rounded to 1000.00 of the smaller unit.
  while (value >= 999.995 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(2)} ${units[unit]}`;
}
