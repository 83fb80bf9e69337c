/**
 * `SOCK_SEQPACKET` socket pairs whose messages may carry file descriptors (`SCM_RIGHTS`), as the image proxy of skopeo
 * uses them. Node has no API for them. Structures have the layout of 64-bit Linux.
 */
import { closeSync } from 'node:fs';
import { koffi, loadLibrary } from './koffi.ts';
import { SystemCallFailed } from './libc.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const MSG_CTRUNC = 0x8;

/** Size of `struct cmsghdr`: length (8), level (4), type (4); descriptors follow. */
const CONTROL_HEADER_BYTES = 16;
/** Room for more descriptors than any answer carries, so that the kernel drops none. */
const CONTROL_BYTES = 256;

const libc = loadLibrary('libc.so.6');
const iovec = koffi.struct('atomic_iovec', { iov_base: 'uint8_t *', iov_len: 'size_t' });
koffi.struct('atomic_msghdr', {
  msg_name: 'void *',
  msg_namelen: 'uint32_t',
  msg_iov: koffi.pointer(iovec),
  msg_iovlen: 'size_t',
  msg_control: 'uint8_t *',
  msg_controllen: 'size_t',
  msg_flags: 'int',
});
const socketpairCall = libc.func('int socketpair(int domain, int type, int protocol, _Out_ int *fds)');
const sendCall = libc.func('long send(int fd, const uint8_t *data, size_t length, int flags)');
const recvmsgCall = libc.func('long recvmsg(int fd, _Inout_ atomic_msghdr *message, int flags)');

export interface Packet {
  readonly data: Buffer;
  /** Received descriptors; the receiver owns and closes them. */
  readonly fds: readonly number[];
}

/** Opens a connected pair. Children do not inherit either end unless the spawn names it. */
export function openPacketPair(): [number, number] {
  const fds: [number, number] = [-1, -1];
  const result: number = socketpairCall(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds);
  if (result !== 0) throw new SystemCallFailed('socketpair', koffi.errno());
  return fds;
}

/** Sends one message without descriptors. Blocks while the socket's buffer is full; requests are far smaller than it. */
export function sendPacket(fd: number, data: Buffer): void {
  const sent: number = sendCall(fd, data, data.length, MSG_NOSIGNAL);
  if (sent < 0) throw new SystemCallFailed('send', koffi.errno());
}

/**
 * Receives one message if there is one. Never waits, so that a silent peer occupies no thread of the small pool.
 *
 * @param maxBytes a longer message is an error
 * @returns `undefined` when there is no message yet, `'closed'` when the peer has closed its end
 */
export function tryReceivePacket(fd: number, maxBytes: number): Packet | 'closed' | undefined {
  const data = Buffer.alloc(maxBytes);
  const control = Buffer.alloc(CONTROL_BYTES);
  const message = {
    msg_name: null,
    msg_namelen: 0,
    msg_iov: [{ iov_base: data, iov_len: data.length }],
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: control.length,
    msg_flags: 0,
  };
  const received: number = recvmsgCall(fd, message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (received < 0) {
    const errno = koffi.errno();
    if (errno === koffi.os.errno.EAGAIN || errno === koffi.os.errno.EINTR) return undefined;
    if (errno === koffi.os.errno.ECONNRESET) return 'closed';
    throw new SystemCallFailed('recvmsg', errno);
  }
  const fds = readDescriptors(control.subarray(0, message.msg_controllen));
  if (received === 0 && fds.length === 0) return 'closed';
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) !== 0) {
    for (const unwanted of fds) closeSync(unwanted);
    throw new Error(`recvmsg: a message of more than ${maxBytes} bytes, or with too many descriptors`);
  }
  return { data: data.subarray(0, received), fds };
}

function readDescriptors(control: Buffer): number[] {
  const fds: number[] = [];
  let offset = 0;
  while (offset + CONTROL_HEADER_BYTES <= control.length) {
    const length = Number(control.readBigUInt64LE(offset));
    if (length < CONTROL_HEADER_BYTES) break;
    const isRights =
      control.readInt32LE(offset + 8) === SOL_SOCKET && control.readInt32LE(offset + 12) === SCM_RIGHTS;
    const end = Math.min(offset + length, control.length);
    for (let at = offset + CONTROL_HEADER_BYTES; isRights && at + 4 <= end; at += 4) {
      fds.push(control.readInt32LE(at));
    }
    offset += Math.ceil(length / 8) * 8;
  }
  return fds;
}
