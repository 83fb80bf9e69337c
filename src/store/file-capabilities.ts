/** File capabilities: the value of the extended attribute `security.capability` (capabilities(7), linux/capability.h). */
import { formatCapability } from '../ostree/capabilities.ts';

export const CAPABILITY_ATTRIBUTE = 'security.capability';

/** Sets of each revision: their length in 32-bit words, and whether a user id follows them. */
const REVISIONS: Readonly<Record<number, { readonly words: number; readonly hasRootId: boolean }>> = {
  1: { words: 1, hasRootId: false },
  2: { words: 2, hasRootId: false },
  3: { words: 2, hasRootId: true },
};
const EFFECTIVE = 1;
const WORD_BYTES = 4;

/**
 * Formats capabilities as getcap(8) does: names, `=`, then their sets: `e` effective, `i` inheritable, `p` permitted. A blank
 * separates capabilities with other sets.
 *
 * @param value value of the attribute; `invalid 0xHEX` is shown for one that the kernel does not accept
 * @returns such as `cap_net_admin,cap_net_raw=ep`; with `[rootid=N]` for the root of another user namespace
 */
export function formatFileCapabilities(value: Buffer): string {
  const magic = value.length < WORD_BYTES ? 0 : value.readUInt32LE(0);
  const revision = REVISIONS[magic >>> 24];
  if (revision === undefined || value.length !== sizeOf(revision))
    return `invalid 0x${value.toString('hex')}`;
  const isEffective = (magic & EFFECTIVE) !== 0;
  const namesBySets = new Map<string, string[]>();
  for (let number = 0; number < revision.words * 32; number++) {
    const at = WORD_BYTES + (number >>> 5) * 2 * WORD_BYTES;
    const has = (offset: number): boolean => ((value.readUInt32LE(at + offset) >>> (number & 31)) & 1) === 1;
    const [isPermitted, isInheritable] = [has(0), has(WORD_BYTES)];
    if (!isPermitted && !isInheritable) continue;
    const sets = `${isEffective ? 'e' : ''}${isInheritable ? 'i' : ''}${isPermitted ? 'p' : ''}`;
    namesBySets.set(sets, [...(namesBySets.get(sets) ?? []), formatCapability(number)]);
  }
  const groups = [...namesBySets].map(([sets, names]) => `${names.join(',')}=${sets}`);
  const rootId = revision.hasRootId ? value.readUInt32LE(value.length - WORD_BYTES) : 0;
  return [groups.length === 0 ? '=' : groups.join(' '), ...(rootId === 0 ? [] : [`[rootid=${rootId}]`])].join(
    ' ',
  );
}

function sizeOf({ words, hasRootId }: { words: number; hasRootId: boolean }): number {
  return WORD_BYTES * (1 + 2 * words + (hasRootId ? 1 : 0));
}
