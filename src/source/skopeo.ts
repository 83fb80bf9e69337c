/** Commands of skopeo beside the image proxy. */
import type { SourceOptions } from '../core/image.ts';
import { toPrintable } from '../core/printable.ts';
import type { Host } from '../host/host.ts';
import { captureProgram, runProgram } from '../host/run-program.ts';
import { describeProxyFailure } from './proxy-failure.ts';
import { formatCopySourceFlags, formatSourceFlags } from './source-flags.ts';

/** The first version whose image proxy applies policy.json. */
const POLICY_IN_PROXY = [1, 14] as const;

export function findSkopeo(host: Host): string {
  return host.env.SKOPEO_PATH ?? 'skopeo';
}

export async function proxyEnforcesPolicy(host: Host): Promise<boolean> {
  const words = await runProgram(host, [findSkopeo(host), '--version']);
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec(words) ?? [];
  return (
    Number(major) > POLICY_IN_PROXY[0] ||
    (Number(major) === POLICY_IN_PROXY[0] && Number(minor) >= POLICY_IN_PROXY[1])
  );
}

/** Reads a manifest as it is in the source. @param source a reference with transport */
export async function readRawManifest(host: Host, source: string, options: SourceOptions): Promise<Buffer> {
  return Buffer.from(
    await runSkopeo(host, ['inspect', '--raw', ...formatSourceFlags(options), source]),
    'utf8',
  );
}

/**
 * Copies an image under the trust policy. Of a list it takes this machine's platform.
 *
 * @throws AtomicError POLICY_REJECTED when a signature is missing or wrong
 */
export async function copyVerified(
  host: Host,
  source: string,
  destination: string,
  options: SourceOptions,
): Promise<void> {
  await runSkopeo(host, ['copy', '--quiet', ...formatCopySourceFlags(options), source, destination]);
}

async function runSkopeo(host: Host, args: readonly string[]): Promise<string> {
  const result = await captureProgram(host, [findSkopeo(host), ...args]);
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
