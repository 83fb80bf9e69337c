import { expect, test } from 'bun:test';
import type { HistoryEntry } from '../../../src/image/configuration-blob.ts';
import { toDigest } from '../../../src/image/digest.ts';
import { buildHistory } from '../../../src/image/image-history.ts';

const entry = (createdBy: string, isEmpty = false) => ({
  created: undefined,
  createdBy,
  comment: '',
  author: '',
  isEmpty,
});
const layer = (digit: string) => ({
  digest: toDigest(`sha256:${digit.repeat(64)}`),
  diffId: undefined,
  size: 1,
  uncompressedSize: 2,
  mediaType: '',
});

test.each<{ what: string; history: HistoryEntry[]; layers: string[]; lines: string[] }>([
  {
    what: 'steps and layers',
    history: [entry('base'), entry('CMD', true), entry('files')],
    layers: ['1', '2'],
    lines: ['files 2', 'CMD -', 'base 1'],
  },
  { what: 'no steps', history: [], layers: ['1', '2'], lines: ['- 2', '- 1'] },
  { what: 'too few steps', history: [entry('base')], layers: ['1', '2'], lines: ['- 2', 'base 1'] },
  {
    what: 'too many steps',
    history: [entry('base'), entry('lie')],
    layers: ['1'],
    lines: ['lie -', 'base 1'],
  },
])('$what', ({ history, layers, lines }) => {
  const steps = buildHistory(history, layers.map(layer));
  expect(steps.map((step) => `${step.entry?.createdBy ?? '-'} ${step.layer?.digest.at(-1) ?? '-'}`)).toEqual(
    lines,
  );
});
