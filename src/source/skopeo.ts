/** Commands of skopeo beside the image proxy. */
import { toPrintable } from '../core/printable.ts';
import type { Host } from '../host/host.ts';
import { captureProgram } from '../host/run-program.ts';
import { describeProxyFailure } from './proxy-failure.ts';
import {
  formatCopySourceFlags,
  formatGlobalFlags,
  formatSourceFlags,
  type SkopeoOptions,
} from './source-flags.ts';

export function findSkopeo(host: Host): string {
  return host.env.SKOPEO_PATH ?? 'skopeo';
}

/** Reads a manifest as it is in the source. @param source a reference with transport */
export async function readRawManifest(host: Host, source: string, options: SkopeoOptions): Promise<Buffer> {
  const args = ['inspect', '--raw', ...formatSourceFlags(options), source];
  return Buffer.from(await runSkopeo(host, options, args), 'utf8');
}

/**
 * Copies an image under the trust policy. Of a list it takes the platform of the options.
 *
 * @throws AtomicError POLICY_REJECTED when a signature is missing or wrong
 */
export async function copyUnderPolicy(
  host: Host,
  source: string,
  destination: string,
  options: SkopeoOptions,
): Promise<void> {
  await runSkopeo(host, options, ['copy', '--quiet', ...formatCopySourceFlags(options), source, destination]);
}

async function runSkopeo(host: Host, options: SkopeoOptions, args: readonly string[]): Promise<string> {
  const result = await captureProgram(host, [findSkopeo(host), ...formatGlobalFlags(options), ...args]);
  if (result.exitCode === 0) return result.stdout;
  throw describeProxyFailure(readReason(result.stderrTail));
}

/** skopeo logs `time="..." level=fatal msg="..."`; the message is what matters. */
function readReason(stderr: string): string {
  const message = /level=(?:fatal|error) msg=("(?:[^"\\]|\\.)*")/.exec(stderr)?.[1];
  return toPrintable(message === undefined ? stderr.trim() : parseQuoted(message));
}

function parseQuoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
