import { expect, test } from 'bun:test';
import { parseInstallNames } from '../../../src/containers/render/unit/install-section.ts';

const cases: readonly [string, string, readonly string[], readonly string[]][] = [
  ['nothing', '[Unit]\nDescription=x\n', [], []],
  ['one alias', '[Install]\nAlias=a.service\n', ['a.service'], []],
  [
    'several words and lines',
    '[Install]\nAlias=a.service  b.service\nAlias=\nAlso = c.socket\n',
    ['a.service', 'b.service'],
    ['c.socket'],
  ],
  ['other sections', '[Service]\nAlias=a.service\n[X-Install]\nAlso=b.service\n', [], []],
  ['a section that comes again', '[Install]\n[Unit]\n[Install]\nAlso=b.service', [], ['b.service']],
  ['comments', '[Install]\n#Alias=a.service\n ; Also=b.service\n', [], []],
  ['keys have a case', '[Install]\nalias=a.service\nALSO=b.service\n', [], []],
  ['a continued line', '[Install]\nAlias=a.service \\\n  b.service\n', ['a.service', 'b.service'], []],
  ['a continued key', '[Install]\nAlso\\\n=b.service\n', [], ['b.service']],
  [
    'a comment within a continued line',
    '[Install]\nAlias=a.service \\\n# c.service\nb.service\n',
    ['a.service', 'b.service'],
    [],
  ],
  ['an empty line ends a continued one', '[Install]\nAlias=a.service \\\n\nb.service\n', ['a.service'], []],
  ['a byte order mark hides nothing', '[Install]\n\ufeffAlso=b.service\n', [], ['b.service']],
  ['an escaped backslash ends no line', '[Install]\nAlias=a\\\\\nAlso=b\n', ['a\\\\'], ['b']],
  ['a line that goes on at the end', '[Install]\nAlias=a.service\\', ['a.service'], []],
  ['a carriage return hides nothing', '[Install]\n# x\rAlso=b.service\r\n', [], ['b.service']],
  ['blanks around', '  [Install]  \n\t Alias\t=\ta.service\t\n', ['a.service'], []],
];

test.each(cases)('%s', (_, unit, aliases, also) => {
  expect(parseInstallNames(unit)).toEqual({ aliases, also });
});
