import { expect, test } from 'bun:test';
import { buildDiffJson, formatDiff } from '../../src/commands/roots/diff-view.ts';
import type { FileChange, FileNode } from '../../src/store/file-change.ts';

const common = { uid: 0, gid: 0, mode: 0o755, xattrs: new Map<string, Buffer>() };
const file: FileNode = { type: 'file', ...common, size: 10 };
const symlink: FileNode = { type: 'symlink', ...common, mode: 0o777, target: 'tool' };

const changes: readonly FileChange[] = [
  { kind: 'added', path: '/bin/su', after: { ...file, mode: 0o4755 } },
  { kind: 'removed', path: '/bin/x\n\u001b[2J', before: symlink },
  {
    kind: 'changed',
    path: '/usr/bin/ping',
    before: file,
    after: file,
    aspects: [
      { what: 'mode', before: '0755', after: '0711' },
      { what: 'capabilities', before: undefined, after: 'cap_net_raw=ep' },
      { what: 'xattr', name: 'user.a', before: undefined, after: Buffer.from('1') },
      { what: 'xattr', name: 'user.b', before: Buffer.from('1'), after: undefined },
      { what: 'xattr', name: 'user.c', before: Buffer.from('1'), after: Buffer.from([255]) },
      { what: 'target', before: 'a', after: 'b\t' },
      { what: 'size', before: 9, after: 10 },
      { what: 'content' },
    ],
  },
];

test('lines for a person', () => {
  expect(formatDiff(changes)).toBe(
    [
      'A /bin/su',
      'D /bin/x\\n\\x1b[2J',
      'C /usr/bin/ping  (mode 0755 -> 0711, capabilities none -> cap_net_raw=ep, xattr user.a added, xattr user.b removed, xattr user.c changed, target a -> b\\t, size 9 -> 10, content)',
      '',
      'New privileges:',
      '  /bin/su  setuid 0',
      '',
      '1 added, 1 removed, 1 changed',
      '',
    ].join('\n'),
  );
});

test('no differences, no lines', () => {
  expect(formatDiff([])).toBe('');
  expect(buildDiffJson([])).toEqual({ changes: [], privileges: [] });
});

test('the document', () => {
  const plain = { type: 'file', mode: '0755', owner: '0:0', size: 10, target: null, privileges: [] };
  expect(buildDiffJson(changes)).toEqual({
    changes: [
      { change: 'added', path: '/bin/su', after: { ...plain, mode: '4755', privileges: ['setuid 0'] } },
      {
        change: 'removed',
        path: '/bin/x\n\u001b[2J',
        before: { ...plain, type: 'symlink', mode: null, size: null, target: 'tool' },
      },
      {
        change: 'changed',
        path: '/usr/bin/ping',
        before: plain,
        after: plain,
        aspects: [
          { what: 'mode', before: '0755', after: '0711' },
          { what: 'capabilities', before: null, after: 'cap_net_raw=ep' },
          { what: 'xattr', name: 'user.a', before: null, after: 'MQ==' },
          { what: 'xattr', name: 'user.b', before: 'MQ==', after: null },
          { what: 'xattr', name: 'user.c', before: 'MQ==', after: '/w==' },
          { what: 'target', before: 'a', after: 'b\t' },
          { what: 'size', before: 9, after: 10 },
          { what: 'content' },
        ],
      },
    ],
    privileges: [{ path: '/bin/su', gained: ['setuid 0'] }],
  });
});
