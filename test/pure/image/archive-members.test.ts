import { expect, test } from 'bun:test';
import { followLayerLinks } from '../../../src/image/archive-members.ts';

const manifest = JSON.stringify([
  { Config: 'one.json', Layers: ['a/layer.tar'] },
  { Config: './two.json', Layers: ['./b//layer.tar', 'c/layer.tar'] },
  { Config: 3, Layers: ['b/layer.tar'] },
  { Config: 'four.json', Layers: 'b/layer.tar' },
]);
const links = new Map([
  ['b/layer.tar', '../a/layer.tar'],
  ['unused/layer.tar', '../a/layer.tar'],
]);

test('an image with links in the place of layers gets their targets', () => {
  expect(followLayerLinks(manifest, 1, links)).toEqual({
    config: 'two.json',
    layers: ['a/layer.tar', 'c/layer.tar'],
  });
});

test.each([
  [0, 'none of its layers is a link'],
  [2, 'its configuration has no name'],
  [3, 'its layers are no list'],
])('image %d is left to skopeo: %s', (index) => {
  expect(followLayerLinks(manifest, index, links)).toBeUndefined();
});

test.each([
  ['../../../../etc/shadow', '../../../etc/shadow'],
  ['/a/layer.tar', '/a/layer.tar'],
  ['layer.tar', 'b/layer.tar'],
])('the link %s names %s of the archive', (target, path) => {
  expect(followLayerLinks(manifest, 1, new Map([['b/layer.tar', target]]))?.layers[0]).toBe(path);
});
