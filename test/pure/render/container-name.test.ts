import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  adviceForExistingName,
  buildDefaultName,
  parseContainerName,
} from '../../../src/containers/render/container-name.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each(['etcd', 'a', 'my-app_2', 'x.0', 'x.y.z', '_x', '9', 'x.conf', 'x'.repeat(200)])(
  'accepts %s',
  (name) => {
    expect<string>(parseContainerName(name)).toBe(name);
  },
);

const characters = "only letters, digits, '_', '-' and '.' are allowed in it";
test.each([
  ['', 'it is empty'],
  ['a/b', characters],
  ['/etc', characters],
  ['a b', characters],
  ['a\nb', characters],
  ['a\\b', characters],
  ['a:b', characters],
  ["a'b", characters],
  ['a%b', characters],
  ['a$b', characters],
  ['é', characters],
  ['getty@tty1', "'@' is for template units of systemd"],
  ['-n', "it must not start with '-'"],
  ['.storage', "it must not start with '.'"],
  ['..', "it must not start with '.'"],
  ['a..b', "it must not contain '..'"],
  ['x'.repeat(201), 'it is longer than 200 characters'],
  ['etcd.service', "'.service' at its end would name another unit"],
  ['a.slice', "'.slice' at its end would name another unit"],
])('refuses %j', (name, reason) => {
  const error = catchError(() => parseContainerName(name));
  expect(error.code).toBe('BAD_VALUE');
  expect(error.message).toStartWith("Invalid container name '");
  expect(error.message).toEndWith(`': ${reason}`);
  expect(error.hint).toStartWith('Choose a name with --name NAME.');
});

test('the hint for an existing container differs from that for a new one', () => {
  expect(catchError(() => parseContainerName('etcd.service', adviceForExistingName)).hint).toBe(
    "`atomic containers list -a` shows the names. Leave '.service' out.",
  );
});

test('the name in the message is printable and short', () => {
  expect(catchError(() => parseContainerName(`\x1b[2Ja\n${'y'.repeat(300)}`)).message).toBe(
    `Invalid container name 'a ${'y'.repeat(75)}...': ${characters}`,
  );
});

test.each([
  ['etcd', 'latest', 'etcd'],
  ['etcd', undefined, 'etcd'],
  ['127.0.0.1:5000/gscrivano/flannel', 'latest', 'flannel'],
  ['docker.io/library/etcd', 'v3.5_1', 'etcd-v3.5_1'],
])('default name of %s with tag %p', (repository, tag, expected) => {
  expect<string>(buildDefaultName({ repository, tag })).toBe(expected);
});

test('every accepted name is one path component and one word of a shell', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), (text) => {
      try {
        parseContainerName(text);
      } catch (error) {
        expect(error).toHaveProperty('code', 'BAD_VALUE');
        return;
      }
      expect(text).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/);
    }),
  );
});
