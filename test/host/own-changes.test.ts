/** How the tests compare a host: its own changes count, those of the machine below it do not. */
import { expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { diffLooks, lookAtHost } from './support/own-changes.ts';

test('files that the host makes, changes and removes, and folders that it replaces', () => {
  mkdirSync('/etc/atomic-test/kept', { recursive: true });
  writeFileSync('/etc/atomic-test/gone', '');
  const before = lookAtHost(['/etc', '/run'], ['/run/systemd']);
  writeFileSync('/etc/atomic-test/kept/new', '');
  writeFileSync('/etc/hostname', 'other\n');
  rmSync('/etc/atomic-test/gone');
  rmSync('/etc/passwd');
  rmSync('/etc/ssl', { recursive: true });
  mkdirSync('/etc/ssl');
  writeFileSync('/run/atomic-test', '');
  const lines = diffLooks(before, lookAtHost(['/etc', '/run'], ['/run/systemd']));
  const paths = lines.map((line) => line.split(/[: ]+/).slice(0, 2).join(' '));
  expect(paths.filter((path) => !path.startsWith('- /etc/ssl/'))).toEqual([
    '- /etc/atomic-test/gone',
    '+ /etc/atomic-test/kept/new',
    '~ /etc/hostname',
    '- /etc/passwd',
    '+ /run/atomic-test',
  ]);
  expect(paths).toContain('- /etc/ssl/openssl.cnf');
});
