/** What the values of a command line are, for completion. */
import type { OperandSpec, OptionSpec, ValueKind } from '../arguments/command-spec.ts';

const kindsByLabel: Readonly<Record<string, readonly ValueKind[]>> = {
  IMAGE: ['image'],
  'IMAGE|DIR': ['image', 'folder'],
  'IMAGE|CONTAINER': ['image', 'container'],
  NAME: ['container'],
  PATH: ['file'],
  FILE: ['file'],
  DIR: ['folder'],
  'NAME=PATH': ['assigned file'],
};

/** The possible values of an option or operand. */
export interface Values {
  readonly kinds: readonly ValueKind[];
  readonly choices: readonly string[];
}

/** A label in lower case, such as `host|none`, lists the choices. */
export function findValues(spec: OptionSpec | OperandSpec): Values {
  if ('kind' in spec && spec.kind === 'switch') return { kinds: [], choices: ['true', 'false'] };
  const label = 'label' in spec ? spec.label : '';
  return {
    kinds: spec.values ?? kindsByLabel[label] ?? [],
    choices: spec.choices ?? (/^[a-z|]+$/.test(label) ? label.split('|') : []),
  };
}
