/** A proxy in front of a registry that breaks chosen answers, for errors that a healthy registry never gives. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RegistryRequest } from './registry.ts';
import type { RegistryAddress } from './registry-push.ts';

export type Fault =
  /** The connection ends after so many bytes of the body; the header promised all of them. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** An answer of our own; the registry is not asked. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Other bytes under the same headers, with a true length: wrong, truncated or garbage blobs. */
  | { readonly kind: 'change'; readonly body: (honest: Buffer) => Uint8Array }
  /** Stops after so many bytes until `until` is fulfilled, then goes on. `reached` is called when it stops. */
  | {
      readonly kind: 'hold';
      readonly afterBytes: number;
      readonly until: Promise<void>;
      readonly reached?: () => void;
    }
  /** Sends pieces of `bytes` with pauses of `milliseconds`. */
  | { readonly kind: 'slow'; readonly bytes: number; readonly milliseconds: number };

export interface FaultRule {
  /** Default `GET`. */
  readonly method?: string;
  /** The end of the request's path, such as `/blobs/sha256:...`, or a pattern for all of it. */
  readonly path: string | RegExp;
  /** How many requests the rule breaks; default all. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface FaultyRegistry extends RegistryAddress, AsyncDisposable {
  readonly port: number;
  /** Replaces the rules; the first that fits a request applies. */
  setRules(rules: readonly FaultRule[]): void;
  /** Requests so far with the status that the client got, oldest first. */
  requests(): RegistryRequest[];
  /** Ends every connection and the proxy; the registry behind it stays. */
  stop(): Promise<void>;
}

/** @param tls speaks TLS with this certificate and key, both PEM; plain HTTP without */
export async function startFaultyRegistry(
  registry: RegistryAddress,
  initialRules: readonly FaultRule[] = [],
  tls?: { readonly cert: string; readonly key: string },
): Promise<FaultyRegistry> {
  const requests: RegistryRequest[] = [];
  let rules = activate(initialRules);
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = 'GET', url: path = '/' } = incoming;
    outgoing.once('close', () => requests.push({ method, path, status: outgoing.statusCode }));
    const rule = rules.find((candidate) => fits(candidate, method, path));
    if (rule !== undefined) rule.remaining--;
    forward(registry, incoming, outgoing, rule?.fault).catch(() => outgoing.destroy());
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    port,
    address: `127.0.0.1:${port}`,
    credentials: registry.credentials,
    setRules: (next) => {
      rules = activate(next);
    },
    requests: () => [...requests],
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface ActiveRule extends FaultRule {
  remaining: number;
}

function activate(rules: readonly FaultRule[]): ActiveRule[] {
  return rules.map((rule) => ({ ...rule, remaining: rule.times ?? Number.POSITIVE_INFINITY }));
}

function fits(rule: ActiveRule, method: string, url: string): boolean {
  if (rule.remaining <= 0 || method !== (rule.method ?? 'GET')) return false;
  const [path = ''] = url.split('?');
  return typeof rule.path === 'string' ? path.endsWith(rule.path) : rule.path.test(path);
}

async function forward(
  registry: RegistryAddress,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === 'answer') {
    incoming.resume();
    outgoing.writeHead(fault.status, fault.headers).end(fault.body);
    return;
  }
  const answer = await ask(registry, incoming);
  const headers = { ...answer.headers };
  if (fault?.kind === 'change') {
    const body = fault.body(await buffer(answer));
    outgoing.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': body.length }).end(body);
    return;
  }
  outgoing.writeHead(answer.statusCode ?? 502, headers);
  const body = fault === undefined ? answer : breakBody(answer, fault);
  await pipeline(body, outgoing);
}

function ask(registry: RegistryAddress, incoming: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = incoming;
    const asked = httpRequest(`http://${registry.address}${url}`, { method, headers }, resolve);
    asked.on('error', reject);
    incoming.pipe(asked);
  });
}

/** Pieces of the body until the fault; a cut throws, so that the connection is closed. */
async function* breakBody(
  answer: IncomingMessage,
  fault: Exclude<Fault, { kind: 'answer' | 'change' }>,
): AsyncGenerator<Uint8Array> {
  const body = await buffer(answer);
  switch (fault.kind) {
    case 'cut':
      yield body.subarray(0, fault.afterBytes);
      // Gives the bytes time to leave before the connection ends.
      await sleep(50);
      throw new Error('cut on purpose');
    case 'hold':
      yield body.subarray(0, fault.afterBytes);
      fault.reached?.();
      await fault.until;
      yield body.subarray(fault.afterBytes);
      return;
    case 'slow':
      for (let at = 0; at < body.length; at += fault.bytes) {
        yield body.subarray(at, at + fault.bytes);
        await sleep(fault.milliseconds);
      }
  }
}
