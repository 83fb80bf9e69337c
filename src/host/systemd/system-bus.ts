/**
 * A connection to the system bus. Starting systemctl for a question or a job would take several times as long; it stays the
 * way for hosts without a bus, and says what is wrong when systemd does not answer.
 */
import type { Host } from '../host.ts';
import { throwIfInterrupted } from '../interruption.ts';
import { BadMessage, buildMethodCall, type Message, type MethodCall, takeMessage } from './bus-message.ts';

const socketPath = '/run/dbus/system_bus_socket';
const bus = {
  ...{
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
  },
};
const manager = {
  ...{ destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' },
  interface: 'org.freedesktop.systemd1.Manager',
};
/** In one go, as sd-bus does it: the bus takes the identity from the socket. Every client says hello to the bus first. */
const greeting = Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n');
/** systemd answers in milliseconds, unless it waits for a disk. */
const limitMilliseconds = 5000;
/** The lines of the authentication are short. */
const maxGreetingBytes = 4096;

/** No bus, no permission, no answer in time, or none that is understood: systemctl may know more. */
export class BusFailed extends Error {}

interface Socket {
  write(bytes: Uint8Array): number;
  terminate(): void;
}

interface Waiting {
  readonly resolve: (answer: Message) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A call is sent at once, without waiting for the answers to others. The first failure ends the connection. */
export class SystemBus implements Disposable {
  /** Never resolves; rejects with `BusFailed` when the connection fails or is closed. */
  readonly failed: Promise<never>;
  readonly #host: Host;
  readonly #onSignal: (signal: Message) => void;
  readonly #conversation = new Conversation();
  readonly #waiting = new Map<number, Waiting>();
  readonly #reject: (reason: BusFailed) => void;
  readonly #onAbort = (): void => this.#fail('interrupted');
  #unsent: Uint8Array = greeting;
  #socket: Socket | undefined;
  #isOver = false;
  #serial = 0;

  /** Begins to connect. */
  constructor(host: Host, onSignal: (signal: Message) => void = () => undefined) {
    this.#host = host;
    this.#onSignal = onSignal;
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.#reject = reject;
    // Each call waits for it too.
    promise.catch(() => undefined);
    host.signal.addEventListener('abort', this.#onAbort, { once: true });
    // Not `node:net`: loading it takes longer than a question and its answer.
    Bun.connect({
      unix: socketPath,
      socket: {
        open: (socket) => this.#begin(socket),
        drain: () => this.#send(),
        data: (_socket, bytes) => this.#receive(bytes),
        close: () => this.#fail('the bus has closed the connection'),
        error: (_socket, error) => this.#fail(error.message),
      },
    }).catch((error: Error) => this.#fail(error.message));
    this.callBus('Hello', []).catch(() => undefined);
  }

  /** Calls a method of the bus itself. @returns the answer. @throws BusFailed, INTERRUPTED */
  callBus(member: string, args: MethodCall['args']): Promise<Message> {
    return this.#call({ ...bus, member, args });
  }

  /**
   * Calls a method of the manager of systemd.
   *
   * @returns the answer, whose types are those of `signature`
   * @throws BusFailed, also when systemd refuses; INTERRUPTED
   */
  async callSystemd(member: string, args: MethodCall['args'], signature: string): Promise<Uint8Array> {
    const answer = await this.#call({ ...manager, member, args });
    if (answer.signature !== signature) throw new BusFailed(`${member}: ${answer.signature}`);
    return answer.body;
  }

  [Symbol.dispose](): void {
    this.#fail('it was closed');
  }

  async #call(request: Omit<MethodCall, 'serial'>): Promise<Message> {
    throwIfInterrupted(this.#host);
    this.#serial += 1;
    const serial = this.#serial;
    const { promise, resolve } = Promise.withResolvers<Message>();
    const onLate = (): void => this.#fail(`no answer within ${limitMilliseconds} ms`);
    this.#waiting.set(serial, { resolve, timer: setTimeout(onLate, limitMilliseconds) });
    this.#unsent = Buffer.concat([this.#unsent, buildMethodCall({ ...request, serial })]);
    this.#send();
    try {
      const answer = await Promise.race([promise, this.failed]);
      if (answer.kind === 'error') throw new BusFailed(`${request.member}: ${answer.error ?? 'an error'}`);
      return answer;
    } finally {
      throwIfInterrupted(this.#host);
    }
  }

  #begin(socket: Socket): void {
    this.#socket = socket;
    if (this.#isOver) socket.terminate();
    else this.#send();
  }

  #send(): void {
    if (this.#socket === undefined || this.#isOver || this.#unsent.length === 0) return;
    this.#unsent = this.#unsent.subarray(this.#socket.write(this.#unsent));
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of this.#conversation.receive(bytes)) this.#deliver(message);
    } catch (error) {
      if (error instanceof BadMessage) this.#fail(`a message: ${error.message}`);
      else if (error instanceof BusFailed) this.#fail(error.message);
      else throw error;
    }
  }

  #deliver(message: Message): void {
    if (message.kind === 'signal') this.#onSignal(message);
    const waiting = message.answers === undefined ? undefined : this.#waiting.get(message.answers);
    if (waiting === undefined || message.answers === undefined) return;
    this.#waiting.delete(message.answers);
    clearTimeout(waiting.timer);
    waiting.resolve(message);
  }

  #fail(reason: string): void {
    this.#isOver = true;
    this.#reject(new BusFailed(reason));
    this.#host.signal.removeEventListener('abort', this.#onAbort);
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#socket?.terminate();
  }
}

/** What the bus says: the lines of the authentication, then messages. */
class Conversation {
  #received: Uint8Array = new Uint8Array();
  #isAccepted = false;

  /** @returns the messages that are complete. @throws BadMessage, BusFailed */
  *receive(bytes: Uint8Array): Generator<Message> {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (!this.#isAccepted && !this.#readGreeting()) return;
    for (;;) {
      const taken = takeMessage(this.#received);
      if (taken === undefined) return;
      this.#received = this.#received.subarray(taken.length);
      yield taken.message;
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
