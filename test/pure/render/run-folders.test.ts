import { describe, expect, test } from 'bun:test';
import {
  listDeclaredFolders,
  listPreparations,
  listUnitFolders,
} from '../../../src/containers/render/config/run-folders.ts';
import { readOwners } from '../../../src/image/user-lookup.ts';

const findOwner = readOwners({
  passwd: 'mysql:x:101:102::/:/bin/false\n',
  group: 'mysql:x:102:\nsocket:x:77:\n',
});

describe('tmpfiles.d', () => {
  test.each([
    ['d /run/mysqld 0755 mysql root -', ['/run/mysqld', 0o755, 101, 0]],
    ['d /run/haproxy 2775 mysql socket -', ['/run/haproxy', 0o2775, 101, 77]],
    ['d\t/var/run/a/', ['/run/a', 0o755, 0, 0]],
    ['D! /run/a/b-c@d.e - 7 8', ['/run/a/b-c@d.e', 0o755, 7, 8]],
    ['d /run/a :0700 :mysql :socket', ['/run/a', 0o700, 101, 77]],
    ['d /run/a - mysql', ['/run/a', 0o755, 101, 0]],
  ] as const)('%j', (line, [path, mode, uid, gid]) => {
    expect(listDeclaredFolders(`# comment\n\n${line}\n`, findOwner)).toEqual([{ path, mode, uid, gid }]);
  });

  test.each([
    'f /run/file 0644 root root -',
    'd /run',
    'd /var/lib/app',
    'd /runner/a',
    'd /run/%m',
    'd "/run/a b"',
    'd /run/a/../../etc',
    'd /run/./a',
    'd /run//a',
    'd /run/a 0755 nobody root',
    'd /run/a 0755 root nogroup',
    'd /run/a 99',
    'd /run/systemd/netif 0755',
    'd /run/user/0',
    '#d /run/a',
  ])('%j makes no folder', (line) => {
    expect(listDeclaredFolders(line, findOwner)).toEqual([]);
  });
});

test('a path that no folder needs is left out before it is looked at', () => {
  for (const path of [`/run/${'a/'.repeat(500_000)}`, `/run/a${'/'.repeat(1_000_000)}b`]) {
    expect(listDeclaredFolders(`d ${path}`, findOwner)).toEqual([]);
  }
});

test.each([
  ['RuntimeDirectory=sshd\nRuntimeDirectoryMode=0755', [['/run/sshd', 0o755, 0, 0]]],
  [
    'RuntimeDirectory=a b/c\nUser=mysql\nRuntimeDirectoryMode=2750',
    [
      ['/run/a', 0o2750, 101, 102],
      ['/run/b/c', 0o2750, 101, 102],
    ],
  ],
  ['RuntimeDirectory=a\nUser=mysql\nGroup=socket', [['/run/a', 0o755, 101, 77]]],
  ['RuntimeDirectory=%p', []],
  ['RuntimeDirectory=../etc', []],
  ['RuntimeDirectory=a\nUser=nobody', []],
  ['RuntimeDirectory=', []],
  ['[Unit]\nRuntimeDirectory=a', []],
] as const)('the unit %j', (text, expected) => {
  const found = listUnitFolders(`[Service]\n${text}\n`, findOwner);
  expect(found.map(({ path, mode, uid, gid }) => [path, mode, uid, gid] as const)).toEqual([...expected]);
});

test('names the commands before a service, except those that check its files', () => {
  const unit = `[Service]
ExecStart=/usr/sbin/server -D $OPTIONS
ExecStartPre=-/bin/mkdir -p /run/server
ExecStartPre=/usr/sbin/server -t
ExecStartPre=
`;
  expect(listPreparations(unit, 'server')).toEqual(['/bin/mkdir -p /run/server']);
  expect(listPreparations(unit, '/opt/server')).toEqual(['/bin/mkdir -p /run/server']);
  expect(listPreparations(unit, 'other')).toEqual([]);
});
