import { expect, test } from 'bun:test';
import { formatFileCapabilities } from '../../../src/store/file-capabilities.ts';

const all = Array.from({ length: 41 }, (_, number) => number);
const bits = (numbers: readonly number[]): bigint =>
  numbers.reduce((sum, number) => sum | (1n << BigInt(number)), 0n);

/** The attribute as linux/capability.h has it: magic, then the words of permitted and inheritable in turn. */
function encode(
  revision: number,
  effective: boolean,
  permitted: bigint,
  inheritable: bigint,
  rootId?: number,
): Buffer {
  const words = revision === 1 ? 1 : 2;
  const data = Buffer.alloc(4 + words * 8 + (rootId === undefined ? 0 : 4));
  data.writeUInt32LE(revision * 2 ** 24 + (effective ? 1 : 0));
  for (let word = 0; word < words; word++) {
    const shift = BigInt(word * 32);
    data.writeUInt32LE(Number((permitted >> shift) & 0xffffffffn), 4 + word * 8);
    data.writeUInt32LE(Number((inheritable >> shift) & 0xffffffffn), 8 + word * 8);
  }
  if (rootId !== undefined) data.writeUInt32LE(rootId, data.length - 4);
  return data;
}

test.each<[Buffer, string]>([
  [encode(2, true, bits([13]), 0n), 'cap_net_raw=ep'],
  [encode(2, false, bits([13, 12]), 0n), 'cap_net_admin,cap_net_raw=p'],
  [encode(2, true, bits([0, 40]), bits([0])), 'cap_chown=eip cap_checkpoint_restore=ep'],
  [encode(2, false, 0n, bits([32])), 'cap_mac_override=i'],
  [encode(2, true, bits([63]), 0n), '63=ep'],
  [encode(2, true, 0n, 0n), '='],
  [encode(1, true, bits([31]), 0n), 'cap_setfcap=ep'],
  [encode(3, true, bits([10]), 0n, 1000), 'cap_net_bind_service=ep [rootid=1000]'],
  [encode(3, true, bits([10]), 0n, 0), 'cap_net_bind_service=ep'],
  [encode(2, true, bits(all), 0n), expect.stringMatching(/^cap_chown,.*,cap_checkpoint_restore=ep$/)],
  [Buffer.alloc(0), 'invalid 0x'],
  [Buffer.from('01', 'hex'), 'invalid 0x01'],
  [encode(4, true, 1n, 0n), expect.stringMatching(/^invalid 0x01000004/)],
  [encode(2, true, 1n, 0n).subarray(0, 19), expect.stringMatching(/^invalid 0x/)],
  [encode(3, true, 1n, 0n), expect.stringMatching(/^invalid 0x/)],
])('%p', (value, text) => {
  expect(formatFileCapabilities(value)).toEqual(text);
});
