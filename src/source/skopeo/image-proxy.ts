/**
 * Client of `skopeo experimental-image-proxy`: a child process that opens images with every transport and setting of
 * containers/image, and passes their blobs through pipes.
 *
 * Two properties of the protocol shape this client. The proxy closes the writing end of a blob's pipe only inside
 * `FinishPipe`, and `FinishPipe` returns only when the blob is read to its end. So the client sends `FinishPipe` as soon as
 * a blob is open, and the answer comes while the blob is read. And the proxy serves one request at a time, so the next blob
 * is opened after that.
 */

import type { ChildProcess } from 'node:child_process';
import { closeSync, createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicError } from '../../base/errors.ts';
import { isErrno } from '../../base/file-error.ts';
import type { Host } from '../../host/host.ts';
import { throwIfInterrupted } from '../../host/interruption.ts';
import { formatPackageHint } from '../../host/run-program.ts';
import { spawnChild } from '../../host/spawn-child.ts';
import type { Digest } from '../../image/digest.ts';
import type { SilenceLimits } from '../../image/image.ts';
import { MAX_MANIFEST_BYTES } from '../../image/manifest.ts';
import { growPipe } from '../../native/libc.ts';
import { openPacketPair, type Packet, sendPacket, tryReceivePacket } from '../../native/seqpacket.ts';
import { describeSkopeoFailure } from '../failures/skopeo-failure.ts';
import { GrowingPause } from './growing-pause.ts';
import {
  type DoneAnswer,
  describeProxyEnd,
  MAX_ANSWER_BYTES,
  parseProxyAnswer,
  readDigest,
  readHandle,
  rejectAnswer,
} from './proxy-answer.ts';
import { Silence } from './silence.ts';
import { formatGlobalFlags, formatSourceFlags, type SkopeoOptions } from './source-flags.ts';

/** Capacity of a blob's pipe. */
const BLOB_PIPE_BYTES = 1024 * 1024;
/** Size of one read from the pipe. Every read costs a round trip to a worker thread, and a buffer. */
const BLOB_READ_BYTES = 256 * 1024;
const SMALL_READ_BYTES = 64 * 1024;
const MAX_STDERR_BYTES = 4096;
/** Time to wait for the reason on standard error after the socket was closed. */
const REASON_MILLISECONDS = 20;

export interface OpenedImage {
  readonly handle: number;
  /** Of the image's original manifest. */
  readonly digest: Digest;
  /** The manifest in OCI form. The proxy converts a Docker manifest, so these bytes may not match `digest`. */
  readonly manifest: Buffer;
}

export interface OpenedBlob {
  readonly stream: Readable;
  /**
   * Resolves when the proxy has sent the whole blob and checked its digest and size.
   * @throws AtomicError TRANSFER_FAILED, REGISTRY_UNREACHABLE, DIGEST_MISMATCH
   */
  readonly verified: Promise<void>;
}

export class ImageProxy {
  readonly #host: Host;
  readonly #options: SkopeoOptions;
  readonly #child: ChildProcess;
  readonly #socket: number;
  #stderr = '';
  #startFailure: Error | undefined;
  #isClosed = false;
  /** Whether an answer has come. A proxy that ends before its first answer cannot work, so no other one is started. */
  #hasAnswered = false;
  #pause = new GrowingPause('answer');
  #lastCall: Promise<unknown> = Promise.resolve();
  /** Time limit for a registry. Files and engines of this machine have none. */
  #silence: Silence | undefined;
  /** An interrupted transfer may wait for bytes that never come, and only the end of the process ends that wait. */
  readonly #kill = (): void => void this.#child.kill('SIGKILL');

  private constructor(
    host: Host,
    options: SkopeoOptions,
    { argv, child }: { readonly argv: readonly string[]; readonly child: ChildProcess },
    socket: number,
  ) {
    this.#host = host;
    this.#options = options;
    this.#child = child;
    this.#socket = socket;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-MAX_STDERR_BYTES);
    });
    child.on('error', (error) => {
      this.#startFailure = error;
    });
    const startedAt = performance.now();
    child.on('exit', (exitCode, signal) => {
      const outcome = { exitCode: exitCode ?? undefined, signal: signal ?? undefined };
      host.trace({ argv, milliseconds: performance.now() - startedAt, ...outcome });
    });
    host.signal.addEventListener('abort', this.#kill, { once: true });
  }

  /**
   * Starts the proxy. The caller closes it.
   *
   * @throws AtomicError TOOL_MISSING without skopeo, TOOL_TOO_OLD when it has no image proxy
   */
  static async start(host: Host, options: SkopeoOptions): Promise<ImageProxy> {
    const [ours, theirs] = openPacketPair();
    const argv = [
      host.env.SKOPEO_PATH ?? 'skopeo',
      ...formatGlobalFlags(options),
      ...['experimental-image-proxy', '--sockfd', '3'],
      ...formatSourceFlags(options),
    ];
    const child = spawnChild(argv, {
      env: { ...host.env },
      stdio: ['ignore', 'ignore', 'pipe', theirs],
      detached: true,
    });
    closeSync(theirs);
    const proxy = new ImageProxy(host, options, { argv, child }, ours);
    try {
      const initialized = proxy.#call('Initialize', []);
      options.whileStarting?.();
      await initialized;
    } catch (error) {
      await proxy.close();
      throw error;
    }
    return proxy;
  }

  /**
   * Opens an image and reads its manifest; of a list, the one for this machine's platform.
   *
   * @param source as skopeo writes it: `docker://registry/name:tag`
   * @throws AtomicError IMAGE_NOT_FOUND, REGISTRY_AUTH, REGISTRY_UNREACHABLE, MANIFEST_UNSUPPORTED
   */
  async openImage(source: string): Promise<OpenedImage> {
    if (source.startsWith('docker://')) this.#silence = new Silence(this.#options.silenceLimits);
    const handle = readHandle((await this.#call('OpenImage', [source])).answer.value);
    const { value, data } = await this.#callForData('GetManifest', [handle], MAX_MANIFEST_BYTES);
    return { handle, digest: readDigest(value), manifest: data };
  }

  /**
   * Reads a small blob whole, such as an image's configuration.
   *
   * @throws AtomicError MANIFEST_INVALID when it is larger than 4 MiB; as `openBlob`
   */
  async readBlob(image: OpenedImage, digest: Digest, size: number): Promise<Buffer> {
    return (await this.#callForData('GetBlob', [image.handle, digest, size], MAX_MANIFEST_BYTES)).data;
  }

  /**
   * Opens a blob as soon as the blob before it is read to its end or closed.
   *
   * @param size its exact size in bytes
   */
  async openBlob(image: OpenedImage, digest: Digest, size: number): Promise<OpenedBlob> {
    const { answer, fd } = await this.#callForPipe('GetBlob', [image.handle, digest, size]);
    const verified = this.#call('FinishPipe', [answer.pipe]).then(() => undefined);
    // The reader may fail first. A rejection without a handler would end the program.
    verified.catch(() => undefined);
    growPipe(fd, BLOB_PIPE_BYTES);
    return { stream: this.#readPipe(fd, BLOB_READ_BYTES), verified };
  }

  /** Ends the process, also while a blob is read. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#host.signal.removeEventListener('abort', this.#kill);
    closeSync(this.#socket);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined)
      return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#kill();
    await ended;
  }

  async #callForData(
    method: string,
    args: readonly unknown[],
    maxBytes: number,
  ): Promise<{ value: unknown; data: Buffer }> {
    const { answer, fd } = await this.#callForPipe(method, args);
    const finished = this.#call('FinishPipe', [answer.pipe]);
    finished.catch(() => undefined);
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of this.#readPipe(fd, SMALL_READ_BYTES)) {
      length += part.length;
      if (length > maxBytes) {
        throw new AtomicError(
          'MANIFEST_INVALID',
          `reading the manifest: it is longer than ${maxBytes} bytes`,
        );
      }
      parts.push(part);
    }
    await finished;
    return { value: answer.value, data: Buffer.concat(parts) };
  }

  #readPipe(fd: number, highWaterMark: number): Readable {
    const stream = createReadStream('', { fd, highWaterMark });
    this.#silence?.watch(stream);
    // The proxy has sent the whole blob, so its answer is due.
    stream.once('end', () => this.#pause.hurry());
    return stream;
  }

  async #callForPipe(method: string, args: readonly unknown[]): Promise<{ answer: DoneAnswer; fd: number }> {
    const { answer, packet } = await this.#call(method, args);
    const [fd, ...others] = packet.fds;
    for (const other of others) closeSync(other);
    if (fd === undefined) throw rejectAnswer(`no pipe for ${method}`);
    return { answer, fd };
  }

  /** Sends a request after the answer to the previous one. */
  #call(method: string, args: readonly unknown[]): Promise<{ answer: DoneAnswer; packet: Packet }> {
    const call = this.#lastCall.then(async () => {
      this.#send(Buffer.from(JSON.stringify({ method, args })));
      this.#silence?.end();
      const packet = await this.#receive(method === 'FinishPipe' ? 'bytes' : 'answer');
      try {
        const answer = parseProxyAnswer(packet.data.toString('utf8'));
        if (answer.kind === 'failed') throw describeSkopeoFailure(answer.error, 'pull');
        return { answer, packet };
      } catch (error) {
        for (const fd of packet.fds) closeSync(fd);
        throw error;
      }
    });
    this.#lastCall = call.catch(() => undefined);
    return call;
  }

  #send(request: Buffer): void {
    try {
      sendPacket(this.#socket, request);
    } catch (error) {
      // The proxy has ended. The code that waits for the answer reports why.
      if (!isErrno(error, 'EPIPE')) throw error;
    }
  }

  async #receive(awaited: keyof SilenceLimits): Promise<Packet> {
    this.#pause = new GrowingPause(awaited);
    for (;;) {
      throwIfInterrupted(this.#host);
      if (this.#isClosed)
        throw new AtomicError('PROXY_FAILED', 'reading from the image proxy: it was closed');
      const packet = tryReceivePacket(this.#socket, MAX_ANSWER_BYTES);
      if (packet === 'closed') throw await this.#describeEnd();
      if (packet !== undefined) {
        this.#hasAnswered = true;
        return packet;
      }
      this.#checkSilence(awaited);
      await this.#pause.wait();
    }
  }

  /** A process that waits for a silent registry never ends by itself. */
  #checkSilence(awaited: keyof SilenceLimits): void {
    try {
      this.#silence?.check(awaited);
    } catch (error) {
      this.#kill();
      throw error;
    }
  }

  async #describeEnd(): Promise<AtomicError> {
    await sleep(REASON_MILLISECONDS);
    if (this.#startFailure !== undefined) {
      return new AtomicError('TOOL_MISSING', 'starting skopeo: the program is not installed', {
        hint: formatPackageHint('skopeo'),
        cause: this.#startFailure,
      });
    }
    return describeProxyEnd(this.#stderr, this.#hasAnswered);
  }
}
