import { expect, test } from 'bun:test';
import { findSuggestion, measureDistance } from '../../../src/base/suggest.ts';

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['pull', 'pull', 0],
  ['pul', 'pull', 1],
  ['pukl', 'pull', 1],
  ['plul', 'pull', 1],
  ['lpul', 'pull', 2],
  ['kitten', 'sitting', 3],
])('distance of %p and %p', (from, to, distance) => {
  expect(measureDistance(from, to)).toBe(distance);
  expect(measureDistance(to, from)).toBe(distance);
});

const verbs = ['pull', 'images', 'install', 'containers', 'uninstall', 'recover', 'help'];

test.each([
  ['pul', 'pull'],
  ['puhs', undefined],
  ['isntall', 'install'],
  ['unistall', 'uninstall'],
  ['cont', 'containers'],
  ['container', 'containers'],
  ['image', 'images'],
  ['x', undefined],
  ['', undefined],
  ['frobnicate', undefined],
])('%p means %p', (word, suggestion) => {
  expect(findSuggestion(word, verbs)).toBe(suggestion);
});
