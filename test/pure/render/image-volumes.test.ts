import { expect, test } from 'bun:test';
import { listImageVolumes } from '../../../src/containers/render/config/image-volumes.ts';
import type { ImageEntry } from '../../../src/image/image.ts';
import { catchError } from '../../support/thrown-error.ts';

/** Path -> `/` for a folder, `-` for a file, else the target of a symlink. */
type Tree = Readonly<Record<string, string>>;

const tree: Tree = {
  '/srv': '/',
  '/var': '/',
  '/var/lib': '/',
  '/var/run': '../run',
  '/run': '/',
  '/etc': '/',
};

function list(declared: readonly string[], more: Tree = {}) {
  const all = { ...tree, ...more };
  const look = (path: string): ImageEntry | undefined => {
    const entry = Object.hasOwn(all, path) ? all[path] : undefined;
    if (entry === undefined) return undefined;
    if (entry === '/' || entry === '-') return { kind: entry === '/' ? 'directory' : 'file' };
    return { kind: 'symlink', target: entry };
  };
  return listImageVolumes(declared, look);
}
const paths = (declared: readonly string[], more?: Tree) => list(declared, more).map(({ path }) => path);

test('/var/lib lasts in every image, also in one that does not have it', () => {
  expect(list([])).toEqual([{ path: '/var/lib', isInImage: true, missingInside: [] }]);
  expect(listImageVolumes([], () => undefined)).toEqual([
    { path: '/var/lib', isInImage: false, missingInside: [] },
  ]);
});

test('a volume inside another one that the image does not have is made with the other one', () => {
  expect(list(['/var/lib/db', '/var/lib/app/', '/var/lib/app/data', '/srv'], { '/var/lib/db': '/' })).toEqual(
    [
      { path: '/srv', isInImage: true, missingInside: [] },
      { path: '/var/lib', isInImage: true, missingInside: ['/var/lib/app', '/var/lib/app/data'] },
    ],
  );
});

test.each<[readonly string[], readonly string[]]>([
  [['/data'], ['/data', '/var/lib']],
  [
    ['/srv', '/data/'],
    ['/data', '/srv', '/var/lib'],
  ],
  [
    ['//srv/./a//b', '/srv/a/b'],
    ['/srv/a/b', '/var/lib'],
  ],
  // One inside another one is a folder of the other one.
  [
    ['/srv/a', '/srv/b', '/srv'],
    ['/srv', '/var/lib'],
  ],
  [['/var/lib/mysql'], ['/var/lib']],
  [
    ['/var/lib-x', '/var/lib'],
    ['/var/lib', '/var/lib-x'],
  ],
  [['/var'], ['/var']],
  // Through a usual symlink of the image.
  [['/var/run/app'], ['/run/app', '/var/lib']],
])('the volumes %j are %j', (declared, expected) => {
  expect(paths(declared)).toEqual([...expected]);
});

test.each<[string, string, Tree]>([
  ['/', 'is the root of the container', {}],
  ['/srv/..', 'the path must not contain ..', {}],
  ['data', 'is not an absolute path', {}],
  ['', 'is not an absolute path', {}],
  ['C:\\data', 'is not an absolute path', {}],
  ['/a\nb', 'contains a control character', {}],
  ['/\ud800', 'is not UTF-8', {}],
  [`/${'a'.repeat(1024)}`, 'is longer than 1024 bytes', {}],
  ['/proc', 'is in /proc, which the kernel provides', {}],
  ['/dev/shm', 'is in /dev, which the kernel provides', {}],
  ['//.atomic-new/x', 'begins with .atomic', {}],
  ['/etc/passwd', 'is not a folder in the image', { '/etc/passwd': '-' }],
  ['/etc/passwd/x', '/etc/passwd is not a folder in the image', { '/etc/passwd': '-' }],
  ['/data', '/data is a symlink to /etc in the image', { '/data': '/etc' }],
  ['/data/x', '/data is a symlink to ../../etc in the image', { '/data': '../../etc' }],
])('refuses the volume %j: %s', (declared, problem, more) => {
  const error = catchError(() => list([declared], more));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toStartWith("Cannot start the image: its volume '");
  expect(error.message).toContain(problem);
});

test('refuses an image with hundreds of volumes', () => {
  const many = Array.from({ length: 101 }, (_, index) => `/v${index}`);
  expect(paths(many.slice(1))).toHaveLength(101);
  expect(catchError(() => list(many)).message).toContain('it has 101 volumes, 100 are supported');
});
