import type { Report } from '../../base/events.ts';
import type { Failure } from '../failure.ts';
import { formatProgressEnd, formatProgressEvent, formatProgressStart } from './progress-protocol.ts';

/** The stream of `--progress-fd`. */
export interface ProgressStream {
  readonly report: Report;
  /** Writes the last line. */
  end(exitStatus: number, failure?: Failure): void;
}

/** Milliseconds between two lines about the bytes of one layer. */
const BYTES_INTERVAL = 200;

interface Layer {
  readonly bytesTotal: number;
  writtenAt: number;
}

/**
 * Writes the first line, and then a line for each event; lines about bytes are limited to one per layer and interval.
 *
 * @param now returns the time in milliseconds
 */
export function openProgressStream(
  verb: string,
  write: (text: string) => void,
  now: () => number,
): ProgressStream {
  const layers = new Map<string, Layer>();
  write(formatProgressStart(verb));
  return {
    report(event) {
      if (event.kind === 'layer-started') {
        layers.set(event.digest, { bytesTotal: event.bytes, writtenAt: now() });
      }
      const layer = 'digest' in event ? layers.get(event.digest) : undefined;
      if (event.kind === 'layer-progress' && layer !== undefined) {
        if (now() - layer.writtenAt < BYTES_INTERVAL) return;
        layer.writtenAt = now();
      }
      write(formatProgressEvent(event, layer?.bytesTotal ?? 0));
    },
    end: (exitStatus, failure) => write(formatProgressEnd(exitStatus, failure)),
  };
}
