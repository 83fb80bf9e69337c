/**
 * Asks systemd one question over the system bus. Starting systemctl for it would take several times as long; it stays the
 * way for hosts without a bus, and says what is wrong when systemd does not answer.
 */
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';
import { BadMessage, buildMethodCall, type Message, takeMessage } from './bus-message.ts';

const socketPath = '/run/dbus/system_bus_socket';
const systemd = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' };
const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };
/** In one go, as sd-bus does it: the bus takes the identity from the socket. Every client says hello to the bus first. */
const greeting = Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n');
const [helloSerial, questionSerial] = [1, 2];
/** systemd answers in milliseconds, unless it waits for a disk. */
const limitMilliseconds = 5000;
/** The lines of the authentication are short. */
const maxGreetingBytes = 4096;

/** No bus, no permission, no answer in time, or none that is understood: systemctl may know more. */
export class BusFailed extends Error {}

/**
 * Calls a method of the manager of systemd.
 *
 * @returns the answer, whose types are those of `signature`
 * @throws BusFailed, INTERRUPTED
 */
export async function callSystemd(
  host: Host,
  member: string,
  strings: readonly string[],
  signature: string,
): Promise<Uint8Array> {
  throwIfInterrupted(host);
  const hello = buildMethodCall({
    ...bus,
    serial: helloSerial,
    interface: 'org.freedesktop.DBus',
    member: 'Hello',
  });
  const question = buildMethodCall({
    ...systemd,
    serial: questionSerial,
    interface: 'org.freedesktop.systemd1.Manager',
    member,
    strings,
  });
  const answer = await exchange(host, Buffer.concat([greeting, hello, question]));
  throwIfInterrupted(host);
  if (answer.signature !== signature) throw new BusFailed(`${member}: ${answer.error ?? answer.signature}`);
  return answer.body;
}

/** Sends the bytes and waits for the answer to the question. */
async function exchange(host: Host, sent: Uint8Array): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const conversation = new Conversation();
  let left = sent;
  const send = (socket: { write(bytes: Uint8Array): number }): void => {
    left = left.subarray(socket.write(left));
  };
  const fail = (reason: string): void => reject(new BusFailed(reason));
  const onAbort = (): void => fail('interrupted');
  const timer = setTimeout(() => fail(`no answer within ${limitMilliseconds} ms`), limitMilliseconds);
  host.signal.addEventListener('abort', onAbort, { once: true });
  // Not `node:net`: loading it takes longer than the whole exchange.
  const connection = Bun.connect({
    unix: socketPath,
    socket: {
      open: send,
      drain: send,
      data(_socket, bytes) {
        try {
          const answer = conversation.receive(bytes);
          if (answer !== undefined) resolve(answer);
        } catch (error) {
          reject(error instanceof BadMessage ? new BusFailed(`a message: ${error.message}`) : error);
        }
      },
      close: () => fail('the bus has closed the connection'),
      error: (_socket, error) => fail(error.message),
    },
  });
  connection.catch((error: Error) => fail(error.message));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    host.signal.removeEventListener('abort', onAbort);
    connection.then(
      (socket) => socket.terminate(),
      () => undefined,
    );
  }
}

/** What the bus says: the lines of the authentication, then messages. */
class Conversation {
  #received: Uint8Array = new Uint8Array();
  #isAccepted = false;

  /** @returns the answer to the question, once it is there. @throws BadMessage, BusFailed */
  receive(bytes: Uint8Array): Message | undefined {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (!this.#isAccepted && !this.#readGreeting()) return undefined;
    for (;;) {
      const taken = takeMessage(this.#received);
      if (taken === undefined) return undefined;
      this.#received = this.#received.subarray(taken.length);
      const { kind, answers, error } = taken.message;
      if (kind === 'other') continue;
      if (kind === 'error') throw new BusFailed(error ?? 'an error');
      if (answers === questionSerial) return taken.message;
    }
  }

  /** The bus answers `DATA` to our empty identity, then `OK` and an id; anything else refuses us. */
  #readGreeting(): boolean {
    const text = Buffer.from(this.#received).toString('latin1', 0, maxGreetingBytes);
    const end = /^(?:DATA[^\r\n]*\r\n)?OK [^\r\n]*\r\n/.exec(text)?.[0].length;
    if (end === undefined) {
      if (text.length === maxGreetingBytes || /^(?:REJECTED|ERROR)/m.test(text))
        throw new BusFailed('the bus has refused us');
      return false;
    }
    this.#received = this.#received.subarray(end);
    this.#isAccepted = true;
    return true;
  }
}
