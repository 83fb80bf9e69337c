import { expect, test } from 'bun:test';
import { listEnablingLinks, parseInstallNames } from '../../../src/containers/render/unit/unit-settings.ts';

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

test('the symlinks of systemctl enable', () => {
  const unit = `[Install]
WantedBy=a.target b.target
RequiredBy=c.service
UpheldBy=d.service
Alias=e.service
WantedBy=%i.target "f.target"
[Unit]
WantedBy=g.target
`;
  expect(listEnablingLinks(unit, 'x.service')).toEqual([
    'a.target.wants/x.service',
    'b.target.wants/x.service',
    'c.service.requires/x.service',
    'd.service.upholds/x.service',
    'e.service',
  ]);
  expect(listEnablingLinks('[Unit]\n', 'x.service')).toEqual([]);
});
