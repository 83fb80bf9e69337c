import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { type ExtendedAttribute, readXattrs, writeXattr } from '../../src/native/xattr.ts';
import { formatFileCapabilities } from '../../src/store/file-capabilities.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder('xattr');
});
afterAll(() => folder.remove());

function create(name: string): string {
  writeFileSync(folder.join(name), '');
  return folder.join(name);
}

test('written attributes are read back: any bytes in names and values, also of a symlink', () => {
  const attributes: ExtendedAttribute[] = [
    [Buffer.from('user.empty'), Buffer.alloc(0)],
    [Buffer.from('user.\xff\xfe', 'latin1'), Buffer.from([0, 1, 255])],
    [Buffer.from('trusted.long'), Buffer.alloc(2000, 7)],
  ];
  const file = create('file');
  expect(readXattrs(file)).toEqual([]);
  for (const attribute of attributes) writeXattr(file, attribute);
  const byName = (a: ExtendedAttribute, b: ExtendedAttribute): number => Buffer.compare(a[0], b[0]);
  expect([...readXattrs(file)].sort(byName)).toEqual(attributes.sort(byName));

  symlinkSync('file', folder.join('link'));
  writeXattr(folder.join('link'), [Buffer.from('trusted.link'), Buffer.from('1')]);
  expect(readXattrs(folder.join('link'))).toEqual([[Buffer.from('trusted.link'), Buffer.from('1')]]);
});

test.each<[string, () => unknown, string]>([
  ['llistxattr', () => readXattrs('/nowhere'), 'ENOENT'],
  ['lsetxattr', () => writeXattr('/nowhere', [Buffer.from('user.a'), Buffer.alloc(1)]), 'ENOENT'],
  ['lsetxattr', () => writeXattr('/proc/self', [Buffer.from('user.a'), Buffer.alloc(1)]), 'EPERM'],
])('a failed %s', (call, action, code) => {
  expect(action).toThrow(expect.objectContaining({ name: 'SystemCallFailed', syscall: call, code }));
});

test.each(['cap_net_raw=ep', 'cap_chown,cap_setuid=p', 'cap_chown=eip cap_net_admin=ep', 'cap_bpf=i'])(
  'capabilities that setcap writes are shown as getcap shows them: %s',
  (text) => {
    const file = create('program');
    execFileSync('setcap', [text, file]);
    const [attribute] = readXattrs(file);
    const shown = execFileSync('getcap', [file], { encoding: 'utf8' }).trim();
    expect(attribute?.[0].toString()).toBe('security.capability');
    // getcap writes a second group as an addition to the first: `a=p b+ep`.
    const sorted = (line: string): string[] => line.replaceAll('+', '=').split(' ').sort();
    expect(sorted(formatFileCapabilities(attribute?.[1] ?? Buffer.alloc(0)))).toEqual(
      sorted(shown.slice(file.length + 1)),
    );
  },
);
