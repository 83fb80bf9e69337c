import { buildErrorJson } from '../../cli/error-text.ts';
import { explainFailure } from '../../cli/failure.ts';
import type { UpdateOutcome } from '../../containers/update/update-all.ts';

/** Builds the document of `containers update --json`. */
export function buildUpdateJson(lines: readonly UpdateOutcome[]): Record<string, unknown> {
  return { schemaVersion: 1, containers: lines.map(buildLine) };
}

function buildLine(line: UpdateOutcome): Record<string, unknown> {
  const { outcome, name } = line;
  switch (line.outcome) {
    case 'up-to-date':
      return { outcome, name, image_id: line.imageId };
    case 'held':
      return { outcome, name };
    case 'refused':
      return { outcome, name, image_id: line.imageId, reason: line.reason };
    case 'kept':
      return { outcome, name, reason: line.reason };
    case 'failed':
      return { outcome, name, error: buildErrorJson(explainFailure(line.error)) };
    default:
      return {
        outcome,
        name,
        ...{ image: line.plan.image, image_id: line.plan.record.revision, deployment: line.deployment },
        before: {
          image: line.from.image,
          image_id: line.from.imageId,
          deployment: line.from.deployment,
        },
        ...{ values: line.plan.record.values, value_origins: line.plan.record.valueOrigins ?? {} },
        state_copy: line.state ?? null,
        ...{ asks: line.plan.asks, widening: line.widening, restarted: line.restarted },
      };
  }
}
