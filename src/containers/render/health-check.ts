/** The health check of an image: `healthCheck` of `/exports/manifest.json`, or `Healthcheck` of its configuration. */
import { expectArray, expectObject, expectString, expectStrings } from '../../base/json-shape.ts';
import type { JsonObject, Reject } from '../../base/json-text.ts';

export type HealthProbe =
  /** A command that runs inside the container; the exit status 0 means healthy. */
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  /** A request to this URL; a status from 200 to 399 means healthy. */
  | { readonly kind: 'http'; readonly url: string }
  /** A connection to this address; success means healthy. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The times are in seconds. */
export interface HealthCheck {
  readonly probe: HealthProbe;
  readonly interval: number;
  readonly timeout: number;
  readonly retries: number;
  readonly startPeriod: number;
}

/**
 * Computes how long a service may take to become healthy: the start period, then an interval for each retry, at most an
 * hour.
 */
export function calculateHealthDeadline({ startPeriod, retries, interval }: HealthCheck): number {
  return Math.min(startPeriod + retries * interval, MAX_SECONDS);
}

/** The keys of `healthCheck` in `manifest.json`. */
export const healthCheckKeys: readonly string[] = [
  ...['command', 'http', 'tcp', 'interval', 'timeout', 'retries', 'startPeriod'],
];

const defaults = { interval: 2, timeout: 5, retries: 5, startPeriod: 0 };
/** The defaults of Docker, for the health check of a configuration (Docker image specification 1.2). */
const imageDefaults = { interval: 30, timeout: 30, retries: 3, startPeriod: 0 };
const NANOSECONDS = 1e9;
/**
 * The limit of all times, in seconds, and of the whole check. Longer times of `Healthcheck` are shortened, because they
 * are valid for other programs. An update holds the lock of the container during that time.
 */
const MAX_SECONDS = 3600;
const MAX_RETRIES = 1000;
/** A check may only connect to this host: an image must not make the host connect to other machines. */
const ownHosts = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/**
 * Parses `healthCheck` of `manifest.json`: one of `command`, `http` and `tcp`, and the times in seconds.
 *
 * @returns `undefined` when the manifest has none
 */
export function parseManifestHealthCheck(value: unknown, reject: Reject): HealthCheck | undefined {
  if (value === undefined || value === null) return undefined;
  const check = expectObject(value, 'healthCheck', reject);
  return {
    probe: parseProbe(check, reject),
    ...readTimes(check, { unit: 1, fallback: defaults, where: 'healthCheck' }, reject),
    retries: readRetries(check.retries, 'healthCheck.retries', defaults.retries, reject),
  };
}

/**
 * Parses `Healthcheck` of the configuration of an image.
 *
 * @returns `undefined` when the image has no health check, or disables the one of its base
 */
export function parseImageHealthCheck(value: unknown, reject: Reject): HealthCheck | undefined {
  const check = expectObject(value, 'config.Healthcheck', reject);
  const [form, ...words] = expectStrings(check.Test, 'config.Healthcheck.Test', reject);
  if (form === undefined || form === 'NONE') return undefined;
  const argv = form === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words;
  if ((form !== 'CMD' && form !== 'CMD-SHELL') || words.length === 0) {
    throw reject('config.Healthcheck.Test must be NONE, or CMD or CMD-SHELL with a command');
  }
  const times = {
    interval: shorten(check.Interval, MAX_SECONDS * NANOSECONDS),
    timeout: shorten(check.Timeout, MAX_SECONDS * NANOSECONDS),
    startPeriod: shorten(check.StartPeriod, MAX_SECONDS * NANOSECONDS),
  };
  const where = 'config.Healthcheck';
  return {
    probe: { kind: 'command', argv },
    ...readTimes(times, { unit: NANOSECONDS, fallback: imageDefaults, where }, reject),
    retries: readRetries(
      shorten(check.Retries, MAX_RETRIES),
      `${where}.Retries`,
      imageDefaults.retries,
      reject,
    ),
  };
}

function shorten(value: unknown, limit: number): unknown {
  return typeof value === 'number' ? Math.min(value, limit) : value;
}

/** Parses `settle` of `manifest.json`, in seconds; `undefined` when it has none. */
export function parseSettle(value: unknown, reject: Reject): number | undefined {
  return value === undefined || value === null ? undefined : readSeconds(value, 'settle', 1, reject);
}

function parseProbe(check: JsonObject, reject: Reject): HealthProbe {
  const kinds = ['command', 'http', 'tcp'].filter((kind) => check[kind] !== undefined);
  if (kinds.length !== 1) throw reject('healthCheck must have one of command, http and tcp');
  if (check.command !== undefined) {
    const argv =
      typeof check.command === 'string'
        ? ['/bin/sh', '-c', check.command]
        : expectStrings(
            expectArray(check.command, 'healthCheck.command', reject),
            'healthCheck.command',
            reject,
          );
    if (argv.length === 0 || argv.some((word) => word.includes('\0'))) {
      throw reject('healthCheck.command must name a command');
    }
    return { kind: 'command', argv };
  }
  if (check.http !== undefined)
    return parseHttp(expectString(check.http, 'healthCheck.http', reject), reject);
  return parseTcp(expectString(check.tcp, 'healthCheck.tcp', reject), reject);
}

function parseHttp(text: string, reject: Reject): HealthProbe {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || !ownHosts.test(url.hostname) || url.username !== '') {
    throw reject('healthCheck.http must be a URL such as http://127.0.0.1:8080/health, on this host');
  }
  return { kind: 'http', url: url.href };
}

function parseTcp(text: string, reject: Reject): HealthProbe {
  const [, host = '', port = ''] = /^(.+):([0-9]{1,5})$/.exec(text) ?? [];
  if (!ownHosts.test(host) || Number(port) < 1 || Number(port) > 65535) {
    throw reject('healthCheck.tcp must be ADDRESS:PORT such as 127.0.0.1:2379, on this host');
  }
  return { kind: 'tcp', host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

type HealthTimes = Pick<HealthCheck, 'interval' | 'timeout' | 'startPeriod'>;

/** How a document writes the times of a health check. */
interface TimesForm {
  /** The number that means one second. */
  readonly unit: number;
  /** In seconds. */
  readonly fallback: HealthTimes;
  /** Where the times are, for messages. */
  readonly where: string;
}

/** Zero counts as not set, as Docker writes it. */
function readTimes(times: JsonObject, { unit, fallback, where }: TimesForm, reject: Reject): HealthTimes {
  const read = (name: keyof HealthTimes): number => {
    const value = times[name];
    const isSet = value !== undefined && value !== null && value !== 0;
    return isSet ? readSeconds(value, `${where}.${name}`, unit, reject) : fallback[name];
  };
  return { interval: read('interval'), timeout: read('timeout'), startPeriod: read('startPeriod') };
}

function readSeconds(value: unknown, where: string, unit: number, reject: Reject): number {
  const seconds = typeof value === 'number' ? value / unit : Number.NaN;
  if (!(seconds >= 0 && seconds <= MAX_SECONDS)) {
    throw reject(`${where} must be a number of seconds up to ${MAX_SECONDS}`);
  }
  return seconds;
}

function readRetries(value: unknown, where: string, fallback: number, reject: Reject): number {
  if (value === undefined || value === null || value === 0) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_RETRIES) return value;
  throw reject(`${where} must be a number up to ${MAX_RETRIES}`);
}
