import { expect, test } from 'bun:test';
import { type MountOption, parseMountOptions } from '../../../src/store/mount/mount-options.ts';
import { formatMountRecord, parseMountRecord } from '../../../src/store/mount/mount-record.ts';
import { catchError } from '../../support/thrown-error.ts';

test.each<[string[], MountOption[]]>([
  [[], ['ro', 'nosuid', 'nodev']],
  [['ro'], ['ro', 'nosuid', 'nodev']],
  [
    ['noexec,ro', ' noatime'],
    ['ro', 'nosuid', 'nodev', 'noexec', 'noatime'],
  ],
])('-o %p', (written, options) => {
  expect(parseMountOptions(written)).toEqual(options);
});

test.each(['rw', 'suid', 'dev', 'exec', 'context=x', 'upperdir=/tmp', '', 'constructor'])(
  '-o %p is refused by name (X-28)',
  (option) => {
    expect(catchError(() => parseMountOptions([`noexec,${option}`]))).toEqual({
      code: 'BAD_VALUE',
      message: `The mount option '${option}' is not supported`,
      hint: 'Mounts are always ro, nosuid and nodev; -o also takes noexec, noatime, nodiratime, relatime.',
    });
  },
);

test('a record of a mount is read as it was written', () => {
  const record = {
    kind: 'container',
    name: 'etcd',
    deployment: '/c/etcd.0',
    directory: '/mnt/a\n"b',
  } as const;
  expect(parseMountRecord(formatMountRecord(record))).toEqual(record);
});

test.each(['', '[]', '{"name":1}'])('%p is no record', (text) => {
  expect(catchError(() => parseMountRecord(text)).code).toBe('STORE_CORRUPT');
});
