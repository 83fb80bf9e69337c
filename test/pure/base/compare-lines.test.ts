import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareLines } from '../../../src/base/compare-lines.ts';

const mark = (before: string, after: string) =>
  compareLines(before, after).map(({ change, text }) => `${change === 'added' ? '+' : '-'}${text}`);

test('only lines that differ, at their places', () => {
  expect(mark('a\nb\nc\n', 'a\nb\nc\n')).toEqual([]);
  expect(mark('[Unit]\nNice=1\nA=1\n', '[Unit]\nA=1\nB=2\n')).toEqual(['-Nice=1', '+B=2']);
  expect(mark('', 'a\n')).toEqual(['+a']);
  expect(mark('a\n', '')).toEqual(['-a']);
});

test('a line that moves is a difference', () => {
  expect(mark('[Unit]\nX=1\n[Service]\nY=1\n', '[Unit]\n[Service]\nX=1\nY=1\n')).toEqual(['-X=1', '+X=1']);
});

test('texts that are too long to compare line by line are replaced in the middle', () => {
  const number = (start: number) => Array.from({ length: 3000 }, (_, index) => `${start + index}`);
  const changes = compareLines(['same', ...number(0)].join('\n'), ['same', ...number(5000)].join('\n'));
  expect(changes.length).toBe(6000);
  expect(changes.some(({ text }) => text === 'same')).toBe(false);
});

test('the changes turn one text into the other', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, (old, young) => {
      const [before, after] = [old, young].map((lines) => lines.map((line) => `${line}\n`).join(''));
      const changes = compareLines(before ?? '', after ?? '');
      const count = (kind: string, line: string) =>
        changes.filter(({ change, text }) => change === kind && text === line).length;
      for (const line of ['a', 'b', 'c', '']) {
        const had = old.filter((other) => other === line).length;
        const has = young.filter((other) => other === line).length;
        expect(had - count('removed', line) + count('added', line)).toBe(has);
      }
      expect(changes.length === 0).toBe(before === after);
    }),
  );
});
