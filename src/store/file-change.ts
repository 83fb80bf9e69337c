/** Describes a path of a root filesystem, and the differences between two of them. */
import { compareUtf8 } from '../base/compare-utf8.ts';
import { SETGID, SETUID } from '../base/file-mode.ts';
import { CAPABILITY_ATTRIBUTE, formatFileCapabilities } from './file-capabilities.ts';

export interface FileNode {
  readonly type: 'directory' | 'file' | 'symlink';
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid and sticky bit. Those of a symlink have no meaning. */
  readonly mode: number;
  /** Extended attributes by name, including `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Length of a regular file in bytes. */
  readonly size?: number;
  /** Target of a symlink. */
  readonly target?: string;
}

/** One difference. `undefined` means that a side does not have the value. */
export type Aspect =
  | { readonly what: 'type' | 'mode' | 'owner' | 'target'; readonly before: string; readonly after: string }
  | {
      readonly what: 'capabilities';
      readonly before: string | undefined;
      readonly after: string | undefined;
    }
  | {
      readonly what: 'xattr';
      readonly name: string;
      readonly before: Buffer | undefined;
      readonly after: Buffer | undefined;
    }
  | { readonly what: 'size'; readonly before: number; readonly after: number }
  | { readonly what: 'content' };

export type FileChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: FileNode }
  | { readonly kind: 'removed'; readonly path: string; readonly before: FileNode }
  | {
      readonly kind: 'changed';
      readonly path: string;
      readonly before: FileNode;
      readonly after: FileNode;
      readonly aspects: readonly Aspect[];
    };

/**
 * Lists the differences between two states of a path, in the order of the output.
 *
 * @param hasSameContent whether two regular files have the same bytes; ignored for other types
 */
export function listAspects(before: FileNode, after: FileNode, hasSameContent: boolean): readonly Aspect[] {
  const aspects: Aspect[] = [];
  const compare = (what: 'type' | 'mode' | 'owner' | 'target', old: string, now: string): void => {
    if (old !== now) aspects.push({ what, before: old, after: now });
  };
  compare('type', before.type, after.type);
  if (before.type !== 'symlink' && after.type !== 'symlink') {
    compare('mode', formatMode(before.mode), formatMode(after.mode));
  }
  compare('owner', formatOwner(before), formatOwner(after));
  aspects.push(...listAttributeAspects(before, after));
  if (before.type !== after.type) return aspects;
  compare('target', before.target ?? '', after.target ?? '');
  if (before.size !== undefined && after.size !== undefined && before.size !== after.size) {
    aspects.push({ what: 'size', before: before.size, after: after.size });
  }
  if (before.type === 'file' && !hasSameContent) aspects.push({ what: 'content' });
  return aspects;
}

/**
 * Lists the attributes that give a file more rights than its caller: `setuid UID`, `setgid GID`, file capabilities. Both bits
 * have no meaning on a directory, and setgid has none on a file that no group may execute.
 */
export function listFilePrivileges({ type, mode, uid, gid, xattrs }: FileNode): readonly string[] {
  if (type !== 'file') return [];
  const capabilities = xattrs.get(CAPABILITY_ATTRIBUTE);
  return [
    ...((mode & SETUID) === 0 ? [] : [`setuid ${uid}`]),
    ...((mode & SETGID_EXECUTABLE) === SETGID_EXECUTABLE ? [`setgid ${gid}`] : []),
    ...(capabilities === undefined ? [] : [formatFileCapabilities(capabilities)]),
  ];
}

/** Lists the privileges that a file has after a change and did not have before. */
export function listGainedPrivileges(change: FileChange): readonly string[] {
  if (change.kind === 'removed') return [];
  const old = change.kind === 'changed' ? listFilePrivileges(change.before) : [];
  return listFilePrivileges(change.after).filter((privilege) => !old.includes(privilege));
}

/** Four octal digits. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** `UID:GID`. */
export function formatOwner({ uid, gid }: FileNode): string {
  return `${uid}:${gid}`;
}

const SETGID_EXECUTABLE = SETGID | 0o010;

function listAttributeAspects(before: FileNode, after: FileNode): readonly Aspect[] {
  const names = [...new Set([...before.xattrs.keys(), ...after.xattrs.keys()])].sort(compareUtf8);
  const changed = names.filter((name) => {
    const [old, now] = [before.xattrs.get(name), after.xattrs.get(name)];
    return old === undefined || now === undefined || !old.equals(now);
  });
  const toAspect = (name: string): Aspect => {
    const [old, now] = [before.xattrs.get(name), after.xattrs.get(name)];
    return name === CAPABILITY_ATTRIBUTE
      ? {
          what: 'capabilities',
          before: old && formatFileCapabilities(old),
          after: now && formatFileCapabilities(now),
        }
      : { what: 'xattr', name, before: old, after: now };
  };
  const isCapability = (name: string): boolean => name === CAPABILITY_ATTRIBUTE;
  return [...changed.filter(isCapability), ...changed.filter((name) => !isCapability(name))].map(toAspect);
}
