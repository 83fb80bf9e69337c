import { describe, expect, test } from 'bun:test';
import {
  chooseArchived,
  chooseOfLayout,
  parseArchiveIndex,
  parseLayoutIndex,
} from '../../../src/image/archive-index.ts';
import { catchError } from '../../support/thrown-error.ts';

const tar = { prefix: 'dockertar', path: '/a.tar' };
const layout = { prefix: 'oci', path: '/l' };

const archived = parseArchiveIndex(
  JSON.stringify([
    { Config: 'a.json', RepoTags: ['etcd:3', 'etcd:latest'], Layers: [] },
    { Config: 'b.json', RepoTags: ['docker.io/library/etcd:2'] },
    { Config: 'c.json', RepoTags: null },
    { Config: 'd.json', RepoTags: ['r.io:5000/flannel:1'] },
  ]),
  '/a.tar',
);

describe('an archive', () => {
  test.each([
    ['etcd:3', 0, 'etcd:3'],
    ['etcd', 0, 'etcd:latest'],
    ['docker.io/library/etcd:3', 0, 'etcd:3'],
    ['etcd:2', 1, 'docker.io/library/etcd:2'],
    ['@2', 2, undefined],
    ['@0', 0, 'etcd:3'],
    // the only tag of that name
    ['r.io:5000/flannel', 3, 'r.io:5000/flannel:1'],
  ])('%s chooses image %d', (choice, index, name) => {
    expect(chooseArchived(archived, choice, tar)).toEqual({ index, name });
  });

  test('the descriptor of a manifest in the index is kept', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const text = JSON.stringify({ manifests: [{ digest, size: 7 }, { digest, size: '7' }, { digest: 7 }] });
    expect(parseLayoutIndex(text, '/l').map(({ described }) => described)).toEqual([
      { digest, size: 7 },
      { digest, size: undefined },
      undefined,
    ]);
  });

  test('one image needs no choice, several do', () => {
    expect(chooseArchived(archived.slice(0, 1), undefined, tar)).toEqual({ index: 0, name: 'etcd:3' });
    expect(catchError(() => chooseArchived(archived, undefined, tar))).toEqual({
      code: 'BAD_REFERENCE',
      message:
        'reading /a.tar: it holds several images: etcd:3, etcd:latest, docker.io/library/etcd:2, @2, r.io:5000/flannel:1',
      hint: 'Name one of them, for example dockertar:/a.tar:etcd:3',
    });
  });

  test('an unknown image is not found, and the error lists the existing ones', () => {
    expect(catchError(() => chooseArchived(archived.slice(3), 'flannel:2', tar))).toEqual({
      code: 'IMAGE_NOT_FOUND',
      message: 'reading /a.tar: it holds no image flannel:2',
      hint: 'It holds r.io:5000/flannel:1.',
    });
  });

  test('a long list is cut, and names lose what a terminal would obey', () => {
    const names = Array.from({ length: 30 }, (_, index) => `\u001b[31mimage-${index}`);
    const images = parseArchiveIndex(JSON.stringify([{ RepoTags: names }, {}]), '/a.tar');
    expect(catchError(() => chooseArchived(images, undefined, tar)).message).toBe(
      `reading /a.tar: it holds several images: ${Array.from({ length: 20 }, (_, index) => `image-${index}`).join(', ')} and 11 more`,
    );
  });

  test.each([
    ['{', 'it is not JSON'],
    ['{}', 'it lists no images'],
    ['[]', 'it lists no images'],
    ['[1]', 'an image is not an object'],
    ['[{"RepoTags":"etcd"}]', '"RepoTags" is not a list of names'],
    ['[{"RepoTags":[1]}]', '"RepoTags" is not a list of names'],
  ])('%s is refused', (text, problem) => {
    expect(catchError(() => parseArchiveIndex(text, '/a.tar'))).toEqual({
      code: 'ARCHIVE_INVALID',
      message: `reading manifest.json of /a.tar: ${problem}`,
      hint: 'The file is damaged, or no image tool has made it; make it again.',
    });
  });
});

const TAG = 'org.opencontainers.image.ref.name';
const NAME = 'io.containerd.image.name';

describe('a layout', () => {
  const index = (...annotations: readonly unknown[]): string =>
    JSON.stringify({ manifests: annotations.map((each) => ({ annotations: each })) });

  test('annotations are tags or names', () => {
    const text = index(
      { [TAG]: '3' },
      { [TAG]: 'etcd:3' },
      { [TAG]: '3', [NAME]: 'r.io/etcd:3' },
      {},
      { [TAG]: 3 },
    );
    expect(parseLayoutIndex(text, '/l')).toEqual([
      { tag: '3', name: undefined, described: undefined },
      { tag: 'etcd:3', name: 'etcd:3', described: undefined },
      { tag: '3', name: 'r.io/etcd:3', described: undefined },
      { tag: undefined, name: undefined, described: undefined },
      { tag: undefined, name: undefined, described: undefined },
    ]);
  });

  test('the descriptor of a manifest in the index is kept', () => {
    const digest = `sha256:${'ab'.repeat(32)}`;
    const text = JSON.stringify({ manifests: [{ digest, size: 7 }, { digest, size: '7' }, { digest: 7 }] });
    expect(parseLayoutIndex(text, '/l').map(({ described }) => described)).toEqual([
      { digest, size: 7 },
      { digest, size: undefined },
      undefined,
    ]);
  });

  test('one image needs no choice, several do', () => {
    const images = parseLayoutIndex(index({ [TAG]: '3' }, { [TAG]: '2' }), '/l');
    expect(chooseOfLayout(images, '2', layout)).toEqual({ tag: '2', name: undefined, described: undefined });
    expect(chooseOfLayout(images.slice(0, 1), undefined, layout)).toEqual({
      tag: '3',
      name: undefined,
      described: undefined,
    });
    expect(catchError(() => chooseOfLayout(images, undefined, layout))).toEqual({
      code: 'BAD_REFERENCE',
      message: 'reading /l: it holds several images: 3, 2',
      hint: 'Name one of them, for example oci:/l:3',
    });
    expect(catchError(() => chooseOfLayout(images, '4', layout))).toEqual({
      code: 'IMAGE_NOT_FOUND',
      message: 'reading /l: it holds no image 4',
      hint: 'It holds 3, 2.',
    });
  });

  test('beside one image with a name, images without a name are ignored', () => {
    const images = parseLayoutIndex(index({}, { [TAG]: '3' }, {}), '/l');
    expect(chooseOfLayout(images, undefined, layout)).toMatchObject({ tag: '3' });
  });

  test('several images without a name are told apart from one', () => {
    const images = parseLayoutIndex(index({}, {}), '/l');
    const remedy = 'Make it again with a name; for all platforms: skopeo copy --all SOURCE oci:/l:TAG';
    expect(catchError(() => chooseOfLayout(images, undefined, layout))).toEqual({
      code: 'BAD_REFERENCE',
      message: 'reading /l: it holds 2 images without a name, and none of them can be chosen',
      hint: remedy,
    });
    expect(catchError(() => chooseOfLayout(images, 'amd64', layout))).toEqual({
      code: 'IMAGE_NOT_FOUND',
      message: 'reading /l: it holds no image amd64',
      hint: `It holds 2 images without a name. ${remedy}`,
    });
    expect(catchError(() => chooseOfLayout(images.slice(1), 'amd64', layout)).hint).toBe(
      'It holds one image without a name: leave the name out.',
    );
  });

  test.each([
    ['[]', 'the document must be an object'],
    ['{}', 'it lists no images'],
    ['{"manifests":[null]}', 'a manifest is not an object'],
  ])('%s is refused', (text, problem) => {
    expect(catchError(() => parseLayoutIndex(text, '/l')).message).toBe(
      `reading index.json of /l: ${problem}`,
    );
  });
});
