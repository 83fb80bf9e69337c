/** Commands of skopeo other than the image proxy. */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AtomicError } from '../../base/errors.ts';
import { parseJson } from '../../base/json-text.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram, runProgram } from '../../host/run-program.ts';
import { type Digest, isDigest } from '../../image/digest.ts';
import type { SourceOptions } from '../../image/image.ts';
import { describeSkopeoFailure, type SkopeoTask } from '../failures/skopeo-failure.ts';
import { captureTransfer, limitSilence } from './silence.ts';
import {
  formatCopyDestinationFlags,
  formatCopySourceFlags,
  formatGlobalFlags,
  formatSourceFlags,
  type SkopeoOptions,
} from './source-flags.ts';

export function findSkopeo(host: Host): string {
  return host.env.SKOPEO_PATH ?? 'skopeo';
}

/** Reads the original manifest. @param source location as skopeo writes it, `docker://registry/name:tag` */
export async function readRawManifest(host: Host, source: string, options: SkopeoOptions): Promise<Buffer> {
  const args = ['inspect', '--raw', ...formatSourceFlags(options), source];
  const read = (limited: Host): Promise<string> => runSkopeo(limited, options, args);
  const text = await (isRegistry(source) ? limitSilence(host, options.silenceLimits, read) : read(host));
  return Buffer.from(text, 'utf8');
}

const BRIEFLY = '5s';

/**
 * Runs a short query whose result is only for a hint or a warning. A failure is not reported.
 *
 * @param args arguments of skopeo
 * @returns standard output; `undefined` when the query failed or took too long
 * @throws AtomicError INTERRUPTED, TOOL_MISSING
 */
export async function askBriefly(host: Host, args: readonly string[]): Promise<string | undefined> {
  try {
    return await runProgram(host, [findSkopeo(host), `--command-timeout=${BRIEFLY}`, ...args]);
  } catch (error) {
    if (error instanceof AtomicError && error.code === 'COMMAND_FAILED') return undefined;
    throw error;
  }
}

/**
 * Copies an image under the trust policy. Copies one image of a list, for the platform in the options.
 *
 * @throws AtomicError POLICY_REJECTED when a signature is missing or wrong
 */
export async function copyUnderPolicy(
  host: Host,
  source: string,
  destination: string,
  options: SkopeoOptions,
): Promise<void> {
  const argv = [
    ...[findSkopeo(host), ...formatGlobalFlags(options), 'copy', '--quiet'],
    ...[...formatCopySourceFlags(options), source, destination],
  ];
  const scratchHost = useScratch(host, options);
  const { exitCode, stderrTail } = await (isRegistry(source)
    ? captureTransfer(scratchHost, argv, options.silenceLimits)
    : captureProgram(scratchHost, argv));
  if (exitCode !== 0) throw buildSkopeoFailure(stderrTail, 'pull');
}

/** gpg checks signatures and puts its keys into a folder below TMPDIR, which may be missing or full. */
function useScratch(host: Host, { temporaryFolder }: SkopeoOptions): Host {
  return temporaryFolder === undefined ? host : { ...host, env: { ...host.env, TMPDIR: temporaryFolder } };
}

/**
 * Copies an image out of the store, without the trust policy, which applies only to pulls. Manifest and blobs keep
 * their bytes when the destination can store them.
 *
 * @param folder folder of the form `dir:`; skopeo puts its temporary files below it
 * @returns digest of the manifest that was written; `undefined` for `docker-archive:`
 */
export async function copyOwn(
  host: Host,
  folder: string,
  destination: string,
  options: SourceOptions,
): Promise<Digest | undefined> {
  const digestFile = `${folder}.digest`;
  const hasManifest = !destination.startsWith('docker-archive:');
  const argv = [
    ...[findSkopeo(host), '--insecure-policy', `--tmpdir=${dirname(folder)}`],
    ...['copy', '--quiet', `--digestfile=${digestFile}`],
    ...(hasManifest ? ['--preserve-digests'] : []),
    ...formatCopyDestinationFlags(options),
    ...[`dir:${folder}`, destination],
  ];
  const { exitCode, stderrTail } = await (isRegistry(destination)
    ? captureTransfer(host, argv, options.silenceLimits)
    : captureProgram(host, argv));
  if (exitCode !== 0) throw buildSkopeoFailure(stderrTail, isRegistry(destination) ? 'push' : 'export');
  if (!hasManifest) return undefined;
  const digest = readFileSync(digestFile, 'utf8').trim();
  if (isDigest(digest)) return digest;
  throw new AtomicError(
    'TRANSFER_FAILED',
    `copying to ${destination}: skopeo wrote no digest of the manifest`,
    {
      hint: 'Try another version of skopeo; SKOPEO_PATH names the program.',
    },
  );
}

function isRegistry(location: string): boolean {
  return location.startsWith('docker://');
}

async function runSkopeo(host: Host, options: SkopeoOptions, args: readonly string[]): Promise<string> {
  const argv = [findSkopeo(host), ...formatGlobalFlags(options), ...args];
  const result = await captureProgram(useScratch(host, options), argv);
  if (result.exitCode === 0) return result.stdout;
  throw buildSkopeoFailure(result.stderrTail, 'pull');
}

/** Builds the error for a failed skopeo. @param stderr the end of its standard error */
export function buildSkopeoFailure(stderr: string, task: SkopeoTask): AtomicError {
  return describeSkopeoFailure(readReason(stderr), task);
}

/** Reads the message out of `time="..." level=fatal msg="..."`. */
function readReason(stderr: string): string {
  const message = /level=(?:fatal|error) msg=("(?:[^"\\]|\\.)*")/.exec(stderr)?.[1];
  return toPrintable(message === undefined ? stderr.trim() : parseQuoted(message));
}

function parseQuoted(text: string): string {
  try {
    return parseJson(text) as string;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
