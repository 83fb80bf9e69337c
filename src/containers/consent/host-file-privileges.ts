/** The privileges of files that a deployment puts on the host. */

import { SETGID, SETUID } from '../../base/file-mode.ts';
import { isTrustedPath } from '../render/hostfiles/host-path-rules.ts';
import type { Privilege } from './privilege.ts';

export interface HostFileMode {
  readonly path: string;
  readonly kind: 'file' | 'symlink' | 'directory';
  readonly mode: number;
}

/** A program with set-user-ID or set-group-ID runs as the owner or the group of its file. */
export function listHostFilePrivileges(files: readonly HostFileMode[]): readonly Privilege[] {
  return files.map(({ path, kind, mode }) => {
    const changesIdentity = kind === 'file' && (mode & (SETUID | SETGID)) !== 0;
    const access = changesIdentity || isTrustedPath(path) ? 'trusted' : 'plain';
    return { kind: 'host-file', subject: path, access };
  });
}
