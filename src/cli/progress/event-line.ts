import type { EndedProgram, ProgressEvent } from '../../base/events.ts';
import { formatArgv } from '../../base/format-argv.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import { formatSize } from '../output/format-size.ts';

/** A line of output without its newline. `answer` belongs on standard output, `remark` on standard error. */
export interface EventLine {
  readonly channel: 'answer' | 'remark';
  readonly text: string;
}

/**
 * Formats an event as a line. Scripts look for the words of the answers (compatibility N-10, A-01).
 *
 * @returns `undefined` for events that only move a progress display
 */
export function formatEvent(event: ProgressEvent): EventLine | undefined {
  switch (event.kind) {
    case 'pull-started':
      return answer(`Image ${event.image} is being pulled to ostree ...`);
    case 'layer-started':
      return answer(`Pulling layer ${formatDigest(event.digest)}`);
    case 'image-stored':
      return answer(event.isUpToDate ? `${event.reference} is up to date` : formatStored(event));
    case 'extracting':
      return answer(`Extracting to ${event.destination}`);
    case 'command':
      return answer(formatArgv(event.argv));
    case 'notice':
      return answer(event.text);
    case 'warning':
      return remark(`Warning: ${event.text}`);
    case 'remark':
      return remark(event.text);
    case 'asks':
      return remark(`Asks: ${event.text}`);
    case 'waiting':
      return remark(`Waiting for ${event.object}, held by ${event.holder ?? 'another process'}`);
    case 'recovered':
      return remark(`Recovered ${event.container}: an interrupted ${event.operation} was ${event.outcome}`);
    case 'pull-planned':
    case 'layer-progress':
    case 'layer-finished':
    case 'step':
      return undefined;
  }
}

const SHORT_ID = 12;

type StoredEvent = Extract<ProgressEvent, { kind: 'image-stored' }>;

/** `Stored IMAGE, id 17acc76fc5b0, 3 of 5 layers fetched, 8.40 MB`. */
function formatStored({ reference, id, layers, fetched, bytes }: StoredEvent): string {
  const size = fetched === 0 ? '' : `, ${formatSize(bytes)}`;
  return `Stored ${reference}, id ${id.slice(0, SHORT_ID)}, ${fetched} of ${formatCount(layers, 'layer')} fetched${size}`;
}

/** Formats the line of `--debug` about a child process: `debug: systemctl daemon-reload: exit status 0 after 153 ms`. */
export function formatEndedProgram({ argv, milliseconds, exitCode, signal }: EndedProgram): string {
  const outcome = exitCode === undefined ? `ended by ${signal}` : `exit status ${exitCode}`;
  return toPrintable(`debug: ${formatArgv(argv)}: ${outcome} after ${Math.round(milliseconds)} ms`);
}

/** @returns the hex digits of `sha256:HEX` */
export function formatDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function answer(text: string): EventLine {
  return { channel: 'answer', text: toPrintable(text) };
}

function remark(text: string): EventLine {
  return { channel: 'remark', text: toPrintable(text) };
}
