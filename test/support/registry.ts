/** Debian's `docker-registry` on a free port of 127.0.0.1, with its access log as data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, RegistryAddress } from './registry-push.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary.ts';

export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface RegistryOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** The only user who may do anything. Default: no authentication. */
  readonly credentials?: Credentials;
}

export interface Registry extends RegistryAddress, AsyncDisposable {
  readonly port: number;
  /** Every request answered so far (or since `forgetRequests`), oldest first. */
  requests(): Promise<RegistryRequest[]>;
  /** Digests of the blobs sent to clients, in order, with repetitions. */
  blobGets(): Promise<string[]>;
  forgetRequests(): Promise<void>;
  /** Ends the process as a crash would and keeps the storage folder, until `stop`. */
  kill(): Promise<void>;
  /** Ends the process and removes everything. */
  stop(): Promise<void>;
}

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const folder = await createTemporaryFolder('registry');
  const accessLog = folder.join('access.log');
  const child = await spawnRegistry(folder, accessLog, options);
  const port = await readPort(folder.join('error.log'), child).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const address = `127.0.0.1:${port}`;

  const requests = async (): Promise<RegistryRequest[]> => {
    const lines = await readUntilMarker(address, accessLog);
    return lines.flatMap((line) => parseAccessLine(line) ?? []);
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const stop = async (): Promise<void> => {
    await kill('SIGTERM');
    await folder.remove();
  };
  return {
    port,
    address,
    credentials: options.credentials,
    requests,
    blobGets: async () => (await requests()).flatMap((request) => sentBlob(request) ?? []),
    forgetRequests: async () => {
      await readUntilMarker(address, accessLog);
      await truncate(accessLog);
    },
    kill: () => kill(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function spawnRegistry(
  folder: TemporaryFolder,
  accessLog: string,
  options: RegistryOptions,
): Promise<ChildProcess> {
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: folder.join('storage') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${options.port ?? 0}`, secret: randomUUID() },
    ...(options.credentials === undefined
      ? {}
      : { auth: { htpasswd: { realm: 'test', path: folder.join('htpasswd') } } }),
  };
  await writeFile(folder.join('config.json'), JSON.stringify(config));
  if (options.credentials !== undefined) {
    const { username, password } = options.credentials;
    const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 });
    await writeFile(folder.join('htpasswd'), `${username}:${hash}\n`);
  }
  const output = openSync(accessLog, 'a');
  const errors = openSync(folder.join('error.log'), 'a');
  try {
    // The registry dies with the test, also when the test is killed.
    const command = ['--pdeathsig', 'TERM', 'docker-registry', 'serve', folder.join('config.json')];
    return spawn('setpriv', command, { stdio: ['ignore', output, errors] });
  } finally {
    closeSync(output);
    closeSync(errors);
  }
}

const POLL_MS = 10;

async function readPort(errorLog: string, child: ChildProcess): Promise<number> {
  for (;;) {
    const text = await readFile(errorLog, 'utf8');
    const port = /listening on [^"]*:(\d+)/.exec(text)?.[1];
    if (port !== undefined) return Number(port);
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}: ${text}`);
    await sleep(POLL_MS);
  }
}

const MARKER = '/v2/?marker=';

/** The log is written after the answer: a request of our own, once it is there, has all earlier ones before it. */
async function readUntilMarker(address: string, accessLog: string): Promise<string[]> {
  const marker = `${MARKER}${randomUUID()}`;
  const response = await fetch(`http://${address}${marker}`).catch(() => undefined);
  for (;;) {
    const lines = (await readFile(accessLog, 'utf8')).split('\n');
    if (response === undefined || lines.some((line) => line.includes(marker))) {
      return lines.filter((line) => line !== '' && !line.includes(MARKER));
    }
    await sleep(POLL_MS);
  }
}

/** A line of the combined log format of the Apache server. */
function parseAccessLine(line: string): RegistryRequest | undefined {
  const match = /^\S+ \S+ \S+ \[[^\]]*\] "(\S+) (\S+) [^"]*" (\d+) /.exec(line);
  if (match === null) return undefined;
  const [, method = '', path = '', status] = match;
  return { method, path, status: Number(status) };
}

function sentBlob({ method, path, status }: RegistryRequest): string | undefined {
  if (method !== 'GET' || (status !== 200 && status !== 206)) return undefined;
  return /\/blobs\/([a-z0-9]+:[0-9a-f]+)$/.exec(path)?.[1];
}
