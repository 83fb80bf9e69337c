/**
 * POSIX access lists as the kernel stores them (linux/posix_acl_xattr.h): the number 2, then entries of kind, permissions and
 * user or group, little-endian, sorted by kind and id.
 */

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const NO_ID = 0xffffffff;
const SEARCH = 1;
const Kind = { owner: 1, user: 2, group: 4, mask: 16, other: 32 } as const;

interface AccessEntry {
  readonly kind: number;
  readonly permissions: number;
  readonly id: number;
}

/**
 * Adds a user who may search a folder.
 *
 * @param list the folder's access list, if it has one
 * @param mode mode of the folder
 * @returns the new list; `undefined` when the user may search already
 */
export function allowSearch(list: Buffer | undefined, mode: number, user: number): Buffer | undefined {
  if (list === undefined && (mode & SEARCH) !== 0) return undefined;
  const entries = list === undefined ? fromMode(mode) : parse(list);
  const mask = entries.find(({ kind }) => kind === Kind.mask);
  const own = entries.find(({ kind, id }) => kind === Kind.user && id === user);
  const isMasked = mask !== undefined && (mask.permissions & SEARCH) === 0;
  if (own !== undefined && (own.permissions & SEARCH) !== 0 && !isMasked) return undefined;
  const group = entries.find(({ kind }) => kind === Kind.group)?.permissions ?? 0;
  const others = entries.filter((entry) => entry !== mask && entry !== own);
  return format([
    ...others,
    { kind: Kind.user, permissions: (own?.permissions ?? 0) | SEARCH, id: user },
    { kind: Kind.mask, permissions: (mask?.permissions ?? group) | SEARCH, id: NO_ID },
  ]);
}

function fromMode(mode: number): AccessEntry[] {
  return [
    { kind: Kind.owner, permissions: (mode >> 6) & 7, id: NO_ID },
    { kind: Kind.group, permissions: (mode >> 3) & 7, id: NO_ID },
    { kind: Kind.other, permissions: mode & 7, id: NO_ID },
  ];
}

function parse(list: Buffer): AccessEntry[] {
  const entries: AccessEntry[] = [];
  for (let at = HEADER_BYTES; at + ENTRY_BYTES <= list.length; at += ENTRY_BYTES) {
    entries.push({
      kind: list.readUInt16LE(at),
      permissions: list.readUInt16LE(at + 2),
      id: list.readUInt32LE(at + 4),
    });
  }
  return entries;
}

function format(entries: readonly AccessEntry[]): Buffer {
  const list = Buffer.alloc(HEADER_BYTES + ENTRY_BYTES * entries.length);
  list.writeUInt32LE(VERSION);
  const sorted = [...entries].sort((a, b) => a.kind - b.kind || a.id - b.id);
  for (const [index, { kind, permissions, id }] of sorted.entries()) {
    const at = HEADER_BYTES + ENTRY_BYTES * index;
    list.writeUInt16LE(kind, at);
    list.writeUInt16LE(permissions, at + 2);
    list.writeUInt32LE(id, at + 4);
  }
  return list;
}
