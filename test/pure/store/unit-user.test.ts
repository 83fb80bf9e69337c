import { expect, test } from 'bun:test';
import { findUnitUser } from '../../../src/store/access/unit-user.ts';

test.each([
  ['[Service]\nExecStart=/bin/true\n', undefined],
  ['[Service]\nUser=etcd\n', 'etcd'],
  ['[Service]\n User = 1000 \n', '1000'],
  ['[Unit]\nUser=other\n[Service]\nUser=first\n[Install]\nUser=other\n[Service]\nUser=last\n', 'last'],
  ['[Service]\nUser=etcd\nUser=\n', undefined],
  ['[Service]\n#User=etcd\nUserX=etcd\n', undefined],
])('%j runs as %p', (unit, user) => {
  expect(findUnitUser(unit)).toBe(user);
});
