import { expect, test } from 'bun:test';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SystemCallFailed } from '../../src/native/libc.ts';
import { openPacketPair, type Packet, sendPacket, tryReceivePacket } from '../../src/native/seqpacket.ts';

const sender = new URL('send-descriptors.py', import.meta.url).pathname;

test('messages keep their bounds and their order, in both directions', () => {
  const [left, right] = openPacketPair();
  sendPacket(left, Buffer.from('one'));
  sendPacket(left, Buffer.from('two, longer'));
  sendPacket(right, Buffer.from('back'));
  const received = [tryReceivePacket(right, 100), tryReceivePacket(right, 11), tryReceivePacket(left, 100)];
  expect(received).toEqual([packet('one'), packet('two, longer'), packet('back')]);
  closeAll(left, right);
});

test('without a message there is no waiting', () => {
  const [left, right] = openPacketPair();
  expect(tryReceivePacket(left, 100)).toBeUndefined();
  closeAll(left, right);
});

test('messages that were sent before the end are received before it', () => {
  const [left, right] = openPacketPair();
  sendPacket(left, Buffer.from('last'));
  closeSync(left);
  expect([tryReceivePacket(right, 100), tryReceivePacket(right, 100), tryReceivePacket(right, 100)]).toEqual([
    packet('last'),
    'closed',
    'closed',
  ]);
  closeSync(right);
});

test('sending to a closed end fails, without a signal', () => {
  const [left, right] = openPacketPair();
  closeSync(right);
  expect(() => sendPacket(left, Buffer.from('x'))).toThrow(SystemCallFailed);
  expect(() => sendPacket(left, Buffer.from('x'))).toThrow(new Error('send: broken pipe'));
  closeSync(left);
});

test('a message of more than the expected bytes is an error', () => {
  const [left, right] = openPacketPair();
  sendPacket(left, Buffer.alloc(101));
  expect(() => tryReceivePacket(right, 100)).toThrow(
    new Error('recvmsg: a message of more than 100 bytes, or with too many descriptors'),
  );
  closeAll(left, right);
});

test('a file that is not a socket is an error', () => {
  expect(() => tryReceivePacket(999_999, 100)).toThrow(new Error('recvmsg: bad file descriptor'));
});

test('descriptors come with their message; too many are not kept', () => {
  const [ours, theirs] = openPacketPair();
  const { status } = spawnSync('python3', [sender, '0', '1', '3', '60', '61'], {
    stdio: ['ignore', 'inherit', 'inherit', theirs],
  });
  expect(status).toBe(0);

  const packets = [receive(ours), receive(ours), receive(ours)];
  expect(packets.map(({ data }) => data.toString())).toEqual(['with 0', 'with 1', 'with 3']);
  expect(packets.map(({ fds }) => fds.map((fd) => readFileSync(fd, 'utf8')))).toEqual([
    [],
    ['0'],
    ['0', '1', '2'],
  ]);

  const link = readlinkSync(`/proc/self/fd/${packets[1]?.fds[0]}`);
  expect(link).toStartWith('pipe:[');
  // Children do not inherit them.
  expect(execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })).not.toContain(link);

  const before = countDescriptors();
  const { fds } = receive(ours);
  expect(fds.length).toBe(60);
  closeAll(...fds);
  expect(() => tryReceivePacket(ours, 100)).toThrow('too many descriptors');
  // Fewer are no leak: those of children that have ended go at any time.
  expect(countDescriptors()).toBeLessThanOrEqual(before);
  closeAll(ours, theirs, ...packets.flatMap(({ fds }) => fds));
});

function packet(text: string): Packet {
  return { data: Buffer.from(text), fds: [] };
}

function receive(fd: number): Packet {
  const received = tryReceivePacket(fd, 100);
  if (received === undefined || received === 'closed') throw new Error(`no packet but ${received}`);
  return received;
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function closeAll(...fds: number[]): void {
  for (const fd of fds) closeSync(fd);
}
