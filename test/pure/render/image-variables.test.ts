import { expect, test } from 'bun:test';
import { sortVariables } from '../../../src/containers/render/values/image-variables.ts';

interface Case {
  what: string;
  templates: string[];
  defaults: Record<string, string>;
  optional: [string, string | undefined][];
  required: string[];
}

test.each<Case>([
  { what: 'nothing', templates: [], defaults: { UNUSED: '1' }, optional: [], required: [] },
  {
    what: 'M-40: of the image, of the system, and to be set',
    templates: ['$RECEIVER ${PORT} $STATE_DIRECTORY', '$PORT $WORD'],
    defaults: { RECEIVER: 'World', PORT: '' },
    optional: [
      ['PORT', ''],
      ['RECEIVER', 'World'],
      ['STATE_DIRECTORY', undefined],
    ],
    required: ['WORD'],
  },
  {
    what: 'X-25: RUNTIME and ATOMIC come from the system',
    templates: ['$RUNTIME $ATOMIC'],
    defaults: {},
    optional: [
      ['ATOMIC', undefined],
      ['RUNTIME', undefined],
    ],
    required: [],
  },
  {
    what: 'M-41: $$ is no variable, and broken placeholders are none',
    templates: ['$$ $$NOT $1 ${A-b} $'],
    defaults: {},
    optional: [],
    required: [],
  },
  {
    what: 'a default of the system wins, but for a UUID',
    templates: ['$CONF_DIRECTORY $UUID'],
    defaults: { CONF_DIRECTORY: '/opt', UUID: 'fixed' },
    optional: [
      ['CONF_DIRECTORY', undefined],
      ['UUID', 'fixed'],
    ],
    required: [],
  },
  {
    what: 'what nobody can set, and names of JavaScript',
    templates: ['$NAME $DESTDIR $EXEC_START $constructor $__proto__'],
    defaults: {},
    optional: [],
    required: ['__proto__', 'constructor'],
  },
])('$what', ({ templates, defaults, optional, required }) => {
  const sorted = sortVariables(templates, defaults, new Map());
  expect([...sorted.optional]).toEqual(optional);
  expect(sorted.required).toEqual(required);
});
