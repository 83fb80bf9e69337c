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

const inRange = 'Give the image a USER with a number in this range, such as USER 1000:1000.';
const addUser = 'Use numbers (USER 1000:1000) in the image, or add the user to its /etc/passwd.';
const addGroup = 'Use numbers (USER 1000:1000) in the image, or add the group to its /etc/group.';
const correctLine = 'Correct that line in the image, or use numbers (USER 1000:1000).';

test.each([
  ['app', "no user 'app' in its /etc/passwd", addUser],
  ['NaN', "no user 'NaN' in its /etc/passwd", addUser],
  ['0x10', "no user '0x10' in its /etc/passwd", addUser],
  ['2147483648', '2147483648 is no number of a user; they go from 0 to 2147483647', inRange],
  [
    '99999999999999999999:0',
    '99999999999999999999 is no number of a user; they go from 0 to 2147483647',
    inRange,
  ],
  ['-1', '-1 is no number of a user; they go from 0 to 2147483647', inRange],
  ['1.5', '1.5 is no number of a user; they go from 0 to 2147483647', inRange],
  ['etcd:4294967295', '4294967295 is no number of a group; they go from 0 to 2147483647', inRange],
  ['toobig', 'the line of toobig in its /etc/passwd has no number from 0 to 2147483647', correctLine],
  ['broken', 'the line of broken in its /etc/passwd has no number from 0 to 2147483647', correctLine],
  ['# comment', "no user '# comment' in its /etc/passwd", addUser],
  ['etcd:app', "no group 'app' in its /etc/group", addGroup],
  ['etcd:broken', 'the line of broken in its /etc/group has no number from 0 to 2147483647', correctLine],
  [
    'etcd:a:b',
    'it has more than one colon',
    'Write USER or USER:GROUP into the image, with names or numbers.',
  ],
])('refuses %j', (user, reason, hint) => {
  expect(catchError(() => resolveUser(user, files))).toEqual({
    code: 'CONFIG_INVALID',
    message: `Cannot resolve the user '${user}' of the image: ${reason}`,
    hint,
  });
});

test('an image without the file of the names has none of them', () => {
  const message = (user: string) => catchError(() => resolveUser(user, none)).message;
  expect(message('app')).toEndWith('it has no /etc/passwd');
  expect(message('5:app')).toEndWith('it has no /etc/group');
});
