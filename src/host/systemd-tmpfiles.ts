/** systemd-tmpfiles for one configuration file (tmpfiles.d(5)). */

/** Where such files are, the first one winning; the last one is another folder only where `/lib` is. */
export const tmpfilesFolders: readonly string[] = [
  '/etc/tmpfiles.d',
  '/run/tmpfiles.d',
  '/usr/local/lib/tmpfiles.d',
  '/usr/lib/tmpfiles.d',
  '/lib/tmpfiles.d',
];

/** @param file absolute path of the configuration file */
export function buildCreateCommand(file: string): readonly string[] {
  return ['systemd-tmpfiles', '--create', file];
}

/** Removes what lines of type D, R and r declare as not lasting. @param file absolute path of the configuration file */
export function buildRemoveCommand(file: string): readonly string[] {
  return ['systemd-tmpfiles', '--remove', file];
}
