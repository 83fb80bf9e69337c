import { expect, test } from 'bun:test';
import { tree } from './tree.ts';

test('every kind of line becomes one entry', () => {
  const binary = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
  const entries = tree`
    d etc 0755
    f etc/empty 0644
    f etc/passwd 0644 root:x:0:0::/root:/bin/sh\n
    f etc/shadow 0640 @0:42 a  secret
    f usr/bin/tool 04755 ${binary}
    x usr/bin/tool user.origin=te=st
    x usr/bin/tool user.raw=${binary}
    l bin -> usr/bin
    h usr/bin/again => usr/bin/tool
    c dev/null 0666 1:3
    b dev/sda 0660 @0:6 8:0
    p run/pipe 0600
    w etc/removed
    w top
    o usr/share
    f ${'a name\nof two lines'} 0644 x\t\\n${'\\n'}\0
  `;
  expect(entries).toEqual([
    { path: 'etc', type: 'directory', mode: 0o755 },
    { path: 'etc/empty', type: 'file', mode: 0o644, content: '' },
    { path: 'etc/passwd', type: 'file', mode: 0o644, content: 'root:x:0:0::/root:/bin/sh\n' },
    { path: 'etc/shadow', type: 'file', mode: 0o640, uid: 0, gid: 42, content: 'a  secret' },
    {
      path: 'usr/bin/tool',
      type: 'file',
      mode: 0o4755,
      content: Buffer.from(binary),
      xattrs: { 'user.origin': 'te=st', 'user.raw': Buffer.from(binary) },
    },
    { path: 'bin', type: 'symlink', mode: 0o777, linkName: 'usr/bin' },
    { path: 'usr/bin/again', type: 'hardlink', linkName: 'usr/bin/tool' },
    { path: 'dev/null', type: 'char', mode: 0o666, device: { major: 1, minor: 3 } },
    { path: 'dev/sda', type: 'block', mode: 0o660, uid: 0, gid: 6, device: { major: 8, minor: 0 } },
    { path: 'run/pipe', type: 'fifo', mode: 0o600 },
    { path: 'etc/.wh.removed' },
    { path: '.wh.top' },
    { path: 'usr/share/.wh..wh..opq' },
    { path: 'a name\nof two lines', type: 'file', mode: 0o644, content: Buffer.from('x\t\\n\\n\0') },
  ]);
});

test.each(['q etc 0755', 'd etc', 'f etc/x 0649', 'l a b', 'c dev/null 0666', 'w a b'])(
  'the line "%s" is an error that names it',
  (line) => {
    const strings = Object.assign([line], { raw: [line] });
    expect(() => tree(strings)).toThrow(`tree: cannot understand the line "${line}"`);
  },
);

test('an attribute needs its entry above it', () => {
  expect(() => tree`x usr/bin/tool user.a=b`).toThrow(
    'tree: no entry "usr/bin/tool" above the attribute user.a',
  );
});
