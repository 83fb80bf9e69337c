import { readFile } from 'node:fs/promises';

/** Lists the mount points at or below a folder, as this process sees them. @param path absolute, without symlinks */
export async function listMountsBelow(path: string): Promise<readonly string[]> {
  return parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8')).filter(
    (point) => point === path || point.startsWith(`${path}/`),
  );
}

/** Parses the mount points of `/proc/PID/mountinfo`: the fifth field, with octal escapes (proc(5)). */
export function parseMountPoints(mountinfo: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((field) => field !== undefined)
    .map(unescapeMountField);
}

/** Blanks, newlines and `\` in the fields of a mount table are written as `\` and three octal digits. */
export function unescapeMountField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
