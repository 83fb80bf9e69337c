import { expect, test } from 'bun:test';
import { stopsAlike } from '../../../src/containers/render/unit/unit-settings.ts';

const unit = `[Unit]
Description=a
[Service]
ExecStart=/usr/bin/runc run 'a'
ExecStop=/usr/bin/runc kill 'a'
WorkingDirectory=/c/a.0
KillMode=mixed
`;

test.each<[string, string, boolean]>([
  ['the same', unit, true],
  [
    'another description, start and folder',
    unit.replace('=a', '=b').replace('a.0', 'a.1').replace('run ', 'run -x '),
    true,
  ],
  ['another way to stop', unit.replace('runc kill', 'crun kill'), false],
  ['another mode', unit.replace('mixed', 'process'), false],
  ['a further line', `${unit}ExecStopPost=/bin/true\n`, false],
  ['a line in another section', `${unit}[Install]\nKillMode=none\n`, true],
  ['no unit', '', false],
])('%s', (_, other, expected) => {
  expect(stopsAlike(unit, other)).toBe(expected);
});
