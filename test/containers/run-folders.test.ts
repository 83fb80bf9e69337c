/** What the files of systemd in an image say about `/run`. */
import { expect, test } from 'bun:test';
import { readRunFolders } from '../../src/containers/prepare/read-run-folders.ts';
import type { ImageEntry } from '../../src/image/image.ts';
import type { ImageTree } from '../../src/store/image-files.ts';

const users = { passwd: '', group: '' };

/** Path -> content of a file, or what else is there. */
function read(files: Readonly<Record<string, string | ImageEntry>>, command = 'server') {
  const content = (path: string) => {
    const found = files[path];
    return typeof found === 'string' ? Buffer.from(found) : undefined;
  };
  const tree: ImageTree = {
    readFile: content,
    exists: (path) => files[path] !== undefined,
    look: (path) => {
      const found = files[path.slice(1)];
      return typeof found === 'string' ? { kind: 'file' } : found;
    },
    readProgram: () => undefined,
    listDirectory: (folder) => {
      const inside = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      const names = inside.map((path) => path.slice(folder.length + 1).split('/', 1)[0] ?? '');
      return names.length === 0 ? undefined : [...new Set(names)];
    },
  };
  const { folders, warnings } = readRunFolders(tree, users, command);
  return { paths: folders.map(({ path }) => path), warnings };
}

test('folders of both sources are made, those that the image has are not', () => {
  const wants = 'etc/systemd/system/multi-user.target.wants';
  expect(
    read({
      'usr/lib/tmpfiles.d/a.conf': 'd /run/b\nd /run/there\n',
      'etc/tmpfiles.d/b.conf': 'd /run/c\nd /run/link/inner\nd /run/file/inner\n',
      'etc/tmpfiles.d/readme': 'd /run/no\n',
      [`${wants}/a.service`]: '[Service]\nRuntimeDirectory=a b\n',
      [`${wants}/a.timer`]: '[Service]\nRuntimeDirectory=no\n',
      'usr/lib/systemd/system/disabled.service': '[Service]\nRuntimeDirectory=no\n',
      run: { kind: 'directory' },
      'run/there': { kind: 'directory' },
      'run/link': { kind: 'symlink', target: '/etc' },
      'run/file': { kind: 'file' },
    }),
  ).toEqual({
    paths: ['/run/a', '/run/b', '/run/c'],
    warnings: [
      'The image does not have /run/a, /run/b, /run/c, which its packages expect: the container gets it in memory.',
    ],
  });
});

test('an image without such files, and one with too many, are taken', () => {
  expect(read({})).toEqual({ paths: [], warnings: [] });
  const lines = Array.from({ length: 1000 }, (_, index) => `d /run/${index}`).join('\n');
  expect(read({ 'usr/lib/tmpfiles.d/many.conf': lines }).paths).toHaveLength(50);
});

test('the commands of the unit of the service are shown', () => {
  const unit = '[Service]\nExecStart=/usr/bin/server\nExecStartPre=/bin/mkdir \u001b[31m\n';
  const files = { 'etc/systemd/system/x.wants/server.service': unit };
  expect(read(files).warnings).toEqual([
    expect.stringContaining(
      'server.service of the image prepares the service, and the container does not: /bin/mkdir',
    ),
  ]);
  expect(read(files).warnings.join('')).not.toContain('\u001b');
  expect(read(files, 'sh').warnings).toEqual([]);
});
