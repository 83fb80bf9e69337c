import { isJsonObject } from '../../base/json-text.ts';
import type { Fault, Rule } from './finding.ts';
import type { Shape } from './spec-shapes.ts';

/** Go refuses a value of another type; crun reads it as another value, or not at all. */
export const wrongType: Rule = {
  ...{ name: 'wrong-type', runc: 'refuses', crun: 'starts' },
  reason: 'the runtime specification has another type there',
};

export const wrongNumber: Rule = {
  ...{ name: 'wrong-number', runc: 'refuses', crun: 'refuses' },
  reason: 'the runtimes do not start it',
};

const typeNames = {
  string: 'a string',
  boolean: 'true or false',
  integer: 'a number',
  list: 'an array',
  map: 'an object',
  object: 'an object',
} as const;

/**
 * Finds the values that have another type than the specification gives them. Unknown keys are ignored, and `null` counts as
 * absent, as the runtimes do.
 */
export function findWrongShapes(
  value: unknown,
  shape: Shape,
  where = '',
): readonly (readonly [Rule, Fault])[] {
  if (value === undefined || value === null) return [];
  const wrong = [
    [wrongType, { where: where === '' ? 'config.json' : where, problem: `must be ${typeNames[shape.kind]}` }],
  ] as const;
  switch (shape.kind) {
    case 'string':
    case 'boolean':
      return typeof value === shape.kind ? [] : wrong;
    case 'integer':
      if (typeof value !== 'number') return wrong;
      return isInRange(value, shape)
        ? []
        : [[wrongNumber, { where, problem: `must be a whole number from ${shape.min} to ${shape.max}` }]];
    case 'list':
      if (!Array.isArray(value)) return wrong;
      return value.flatMap((item, index) => findWrongShapes(item, shape.item, `${where}[${index}]`));
    case 'map':
      if (!isJsonObject(value)) return wrong;
      return Object.entries(value).flatMap(([key, item]) =>
        findWrongShapes(item, shape.item, `${where}['${key}']`),
      );
    case 'object':
      if (!isJsonObject(value)) return wrong;
      return Object.entries(shape.fields).flatMap(([key, field]) =>
        findWrongShapes(
          Object.hasOwn(value, key) ? value[key] : undefined,
          field,
          where === '' ? key : `${where}.${key}`,
        ),
      );
  }
}

/** Numbers of more than 53 bits are read inexactly: 2^64 - 1, which means no limit, as 2^64. */
function isInRange(value: number, { min, max }: { readonly min: bigint; readonly max: bigint }): boolean {
  return Number.isInteger(value) && value >= Number(min) && value <= Number(max);
}
