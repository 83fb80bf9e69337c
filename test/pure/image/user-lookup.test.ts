import { expect, test } from 'bun:test';
import { resolveUser } from '../../../src/image/user-lookup.ts';
import { catchError } from '../../support/thrown-error.ts';

const files = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    '# comment:x:1:1::/:/bin/sh',
    'broken',
    'nobody:x:65534:65534:nobody:/:/sbin/nologin',
    'etcd:x:998:997::/var/lib/etcd:/sbin/nologin',
    '1234:x:5:5::/:/bin/sh',
    'toobig:x:4294967296:1::/:/bin/sh',
    '',
  ].join('\n'),
  group: [
    'root:x:0:',
    'wheel:x:10:root,etcd',
    'disk:x:6:root',
    'etcd:x:997:',
    'twice:x:10:etcd',
    'broken:x',
  ].join('\n'),
};
const none = { passwd: '', group: '' };

test.each([
  ['', files, { uid: 0, gid: 0, additionalGids: [10, 6] }],
  ['', none, { uid: 0, gid: 0, additionalGids: [] }],
  ['root', files, { uid: 0, gid: 0, additionalGids: [10, 6] }],
  ['etcd', files, { uid: 998, gid: 997, additionalGids: [10] }],
  ['998', files, { uid: 998, gid: 997, additionalGids: [10] }],
  ['nobody', files, { uid: 65534, gid: 65534, additionalGids: [] }],
  ['4711', files, { uid: 4711, gid: 0, additionalGids: [] }],
  ['1000', none, { uid: 1000, gid: 0, additionalGids: [] }],
  ['1000:1001', none, { uid: 1000, gid: 1001, additionalGids: [] }],
  ['etcd:wheel', files, { uid: 998, gid: 10, additionalGids: [] }],
  ['etcd:3', files, { uid: 998, gid: 3, additionalGids: [] }],
  ['etcd:', files, { uid: 998, gid: 997, additionalGids: [10] }],
  [':wheel', files, { uid: 0, gid: 10, additionalGids: [] }],
  ['1234', files, { uid: 1234, gid: 0, additionalGids: [] }],
  ['2147483647', none, { uid: 2147483647, gid: 0, additionalGids: [] }],
])('resolves %j', (user, source, expected) => {
  expect(resolveUser(user, source)).toEqual(expected);
});

test.each([
  ['app', "no user 'app' in its /etc/passwd"],
  ['2147483648', "no user '2147483648' in its /etc/passwd"],
  ['-1', "no user '-1' in its /etc/passwd"],
  ['toobig', "no user 'toobig' in its /etc/passwd"],
  ['broken', "no user 'broken' in its /etc/passwd"],
  ['# comment', "no user '# comment' in its /etc/passwd"],
  ['etcd:app', "no group 'app' in its /etc/group"],
  ['etcd:a:b', "no group 'a:b' in its /etc/group"],
])('refuses %j', (user, reason) => {
  expect(catchError(() => resolveUser(user, files))).toEqual({
    code: 'CONFIG_INVALID',
    message: `Cannot resolve the user '${user}' of the image: ${reason}`,
    hint: 'Use numbers (USER 1000:1000) in the image, or add the user to its /etc/passwd.',
  });
});
