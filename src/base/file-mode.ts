/** The bits of a file's mode (inode(7)). */

export const FileType = { mask: 0o170000, file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** Permissions with setuid, setgid and sticky bit. */
export const PERMISSIONS = 0o7777;
export const SETUID = 0o4000;
export const SETGID = 0o2000;
export const STICKY = 0o1000;
/** The mode of the directories and refs that the repository has as files. */
export const METADATA_MODE = 0o644;

export function isSymlinkMode(mode: number): boolean {
  return (mode & FileType.mask) === FileType.symlink;
}
