import type { Report } from '../../base/events.ts';
import type { Failure } from '../failure.ts';
import { formatProgressEnd, formatProgressEvent, formatProgressStart } from './progress-protocol.ts';

/** What `--progress-fd` gets. */
export interface ProgressStream {
  readonly report: Report;
  /** Writes the last line. */
  end(exitStatus: number, failure?: Failure): void;
}

/** Milliseconds between two lines about the bytes of one layer: five in a second are enough for every display. */
const BYTES_INTERVAL = 200;

interface Layer {
  readonly bytesTotal: number;
  writtenAt: number;
}

/**
 * Writes the first line, and from then on a line for each event, but not all of those that only count bytes.
 *
 * @param now milliseconds
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
