/**
 * The lines of `--progress-fd`, described in docs/commands.md: one JSON object each, with fields for programs and a
 * `text` for people. A version may get new types and fields; a changed meaning needs a new version.
 */
import type { ProgressEvent } from '../../base/events.ts';
import { formatCount } from '../../base/format-count.ts';
import { toPrintable } from '../../base/printable.ts';
import { buildErrorJson } from '../error-text.ts';
import type { Failure } from '../failure.ts';
import { formatJsonLine } from '../output/format-json.ts';
import { formatSize } from '../output/format-size.ts';
import { formatDigest, formatEvent } from './event-line.ts';

const VERSION = 1;

/** @param verb `pull`, `install` */
export function formatProgressStart(verb: string): string {
  return formatJsonLine({ type: 'start', version: VERSION, verb, text: `atomic ${verb}` });
}

/** @param failure `undefined` when the command succeeded */
export function formatProgressEnd(exitStatus: number, failure: Failure | undefined): string {
  return failure === undefined
    ? formatJsonLine({ type: 'end', outcome: 'done', exitStatus, error: null, text: 'done' })
    : formatJsonLine({
        type: 'end',
        outcome: 'failed',
        exitStatus,
        error: buildErrorJson(failure),
        text: toPrintable(failure.message),
      });
}

/** @param bytesTotal compressed size of the event's layer; 0 when it is not known */
export function formatProgressEvent(event: ProgressEvent, bytesTotal: number): string {
  const text = formatEvent(event)?.text ?? '';
  switch (event.kind) {
    case 'pull-started':
      return formatJsonLine({ type: 'pull', image: event.image, text });
    case 'pull-planned': {
      const bytes = event.layers.reduce((sum, layer) => sum + layer.bytes, 0);
      return formatJsonLine({
        type: 'plan',
        layers: event.layers.map((layer) => ({ layer: layer.digest, bytesTotal: layer.bytes })),
        bytesTotal: bytes,
        text: `${formatCount(event.layers.length, 'layer')} to fetch, ${formatSize(bytes)}`,
      });
    }
    case 'layer-started':
      return formatJsonLine({ type: 'layer-begin', layer: event.digest, bytesTotal, text });
    case 'layer-progress': {
      const { digest: layer, received: bytes } = event;
      const done = `Layer ${formatDigest(layer)}: ${formatSize(bytes)} of ${formatSize(bytesTotal)}`;
      return formatJsonLine({ type: 'layer-bytes', layer, bytes, bytesTotal, text: done });
    }
    case 'layer-finished': {
      const { digest: layer } = event;
      const done = `Layer ${formatDigest(layer)}: complete`;
      return formatJsonLine({ type: 'layer-end', layer, bytes: bytesTotal, bytesTotal, text: done });
    }
    case 'step':
    case 'notice':
    case 'remark':
    case 'asks':
    case 'warning':
      return formatJsonLine({ type: event.kind, text: toPrintable(event.text) });
    case 'image-stored':
      return formatJsonLine({ type: 'notice', text });
    case 'extracting':
      return formatJsonLine({ type: 'extracting', destination: event.destination, text });
    case 'command':
      return formatJsonLine({ type: 'command', argv: event.argv, text });
    case 'waiting':
      return formatJsonLine({ type: 'waiting', object: event.object, holder: event.holder ?? null, text });
    case 'recovered': {
      const { container, operation, outcome } = event;
      return formatJsonLine({ type: 'recovered', container, operation, outcome, text });
    }
  }
}
