/** systemd-tmpfiles for one configuration file (tmpfiles.d(5)). */

/** @param file absolute path of the configuration file */
export function buildCreateCommand(file: string): readonly string[] {
  return ['systemd-tmpfiles', '--create', file];
}

/** Removes what lines of type D, R and r declare as not lasting. @param file absolute path of the configuration file */
export function buildRemoveCommand(file: string): readonly string[] {
  return ['systemd-tmpfiles', '--remove', file];
}
