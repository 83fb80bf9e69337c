import { expect, test } from 'bun:test';
import { readUnitMessages } from '../../../src/containers/lint/unit-messages.ts';
import { connectsTerminal } from '../../../src/containers/render/unit/unit-settings.ts';

const file = '/run/x/web.service';
const read = (output: string) =>
  readUnitMessages(output, file, (program) => program.startsWith('/var/lib/containers/'));

test('what systemd ignores is a warning, with the line in the template', () => {
  expect(read(`${file}:5: Unknown key 'Foo' in section [Service], ignoring.\n`)).toEqual({
    errors: [],
    warnings: ["line 4: Unknown key 'Foo' in section [Service], ignoring."],
    programs: [],
  });
});

test('what systemd refuses is an error, with all reasons', () => {
  const output = [
    `${file}:4: Unbalanced quoting, ignoring: "/bin/true 'abc"`,
    'web.service: Unit configuration has fatal error, unit will not be started.',
    'Unit web.service has a bad unit file setting.',
  ].join('\n');
  expect(read(output)).toEqual({
    errors: [
      `line 3: Unbalanced quoting, ignoring: "/bin/true 'abc"`,
      'Unit configuration has fatal error, unit will not be started.',
    ],
    warnings: [],
    programs: [],
  });
});

test('a file that systemd cannot parse is an error', () => {
  const output = [
    `${file}:4: Invalid section header '[Service'`,
    'Unit web.service failed to load properly, please adjust/correct and reload service manager: Bad message',
  ].join('\n');
  expect(read(output).errors).toEqual(["line 3: Invalid section header '[Service'"]);
});

test('drop-ins of the host and programs that are yet to come are left out', () => {
  const output = [
    "/etc/systemd/system/web.service.d/x.conf:2: Unknown key 'Foo' in section [Service], ignoring.",
    'web.service: Command /var/lib/containers/atomic/web.1/rootfs/bin/x is not executable: No such file or directory',
    'web.service: Command /bin/nope is not executable: No such file or directory',
  ].join('\n');
  expect(read(output)).toEqual({
    errors: [],
    warnings: [],
    programs: [{ path: '/bin/nope', problem: 'No such file or directory' }],
  });
});

test('a unit connects a terminal by StandardInput or by a console socket', () => {
  expect(connectsTerminal('[Service]\nStandardInput=tty-force\n')).toBe(true);
  expect(connectsTerminal('[Service]\nExecStart=/usr/bin/runc run --console-socket /run/s web\n')).toBe(true);
  expect(connectsTerminal('[Service]\nStandardInput=null\nExecStart=/usr/bin/runc run web\n')).toBe(false);
});
