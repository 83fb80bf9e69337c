/** Files that a container has on the host, as data (compatibility E-07). */

/** An entry of `/exports/hostfs` that is installed on the host: a regular file, a symlink, or an empty folder. */
export interface PlannedHostFile {
  /** Absolute path on the host, without symlinks in its parents. */
  readonly path: string;
  readonly kind: 'file' | 'symlink' | 'directory';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** SHA-256 of the content of a regular file. */
  readonly sha256: string | undefined;
  /** The target of a symlink. */
  readonly target: string | undefined;
  /** Whether the content was made from a template; otherwise it is the content of the file in the image. */
  readonly content: HostFileContent | undefined;
}

type HostFileContent =
  | { readonly kind: 'text'; readonly text: string }
  /** Absolute path of a file of the store. */
  | { readonly kind: 'object'; readonly object: string };

/** A folder that the container creates above a host file. */
export interface PlannedHostFolder {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The part of `info` about host files; all paths are absolute. */
export interface HostFilesRecord {
  /** Files, symlinks and empty folders. */
  readonly paths: readonly string[];
  /**
   * SHA-256 of each file as it was written, in hex; `0` for folders, and for symlinks that do not lead to a file of the
   * container.
   */
  readonly checksums: Readonly<Record<string, string>>;
  /** `installedFilesTemplate` of the manifest. */
  readonly templates: readonly string[];
  /** `renameFiles` of the manifest, with values. */
  readonly renames: Readonly<Record<string, string>>;
  readonly useLinks: boolean;
  /** Path of each symlink -> its target. The original does not record them. */
  readonly links: Readonly<Record<string, string>>;
  /** Folders that the container has created, outermost first. The original does not record them. */
  readonly folders: readonly string[];
}

export const noHostFiles: HostFilesRecord = {
  paths: [],
  checksums: {},
  templates: [],
  renames: {},
  useLinks: true,
  links: {},
  folders: [],
};

/** All folders above a path, outermost first, without `/`. */
export function listParents(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

export function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
