/** The bits of a file's mode (inode(7)). */

export const FileType = { mask: 0o170000, file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;

/** Permissions with setuid, setgid and sticky bit. */
export const PERMISSIONS = 0o7777;
export const SETUID = 0o4000;
export const SETGID = 0o2000;
export const STICKY = 0o1000;
/** The modes of files that this program makes: for their owner alone, or readable by all users. */
export const FileMode = { private: 0o600, public: 0o644 } as const;
/** The same for folders. */
export const FolderMode = { private: 0o700, public: 0o755 } as const;
/** Permissions of classes of users. */
export const Permission = {
  execute: 0o111,
  groupWrite: 0o020,
  othersRead: 0o004,
  othersWrite: 0o002,
} as const;

export function isSymlinkMode(mode: number): boolean {
  return (mode & FileType.mask) === FileType.symlink;
}
