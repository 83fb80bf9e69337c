import { expect, test } from 'bun:test';
import { createLiveArea } from '../../src/cli/progress/live-area.ts';

const ESC = '\u001b';

function record(rows: number): { area: ReturnType<typeof createLiveArea>; take(): string } {
  let written = '';
  const area = createLiveArea(
    (text) => {
      written += text;
    },
    () => rows,
  );
  return {
    area,
    take() {
      const text = written;
      written = '';
      return text;
    },
  };
}

test('draws, redraws in place, and clears', () => {
  const { area, take } = record(24);
  area.draw(['one', 'two']);
  expect(take()).toBe('one\ntwo');
  area.draw(['one', 'two']);
  expect(take()).toBe('');
  area.draw(['1', '2', '3']);
  expect(take()).toBe(`\r${ESC}[1A${ESC}[J1\n2\n3`);
  area.draw(['only']);
  expect(take()).toBe(`\r${ESC}[2A${ESC}[Jonly`);
  area.clear();
  expect(take()).toBe(`\r${ESC}[J`);
  area.clear();
  expect(take()).toBe('');
  area.draw([]);
  expect(take()).toBe('');
});

test('never draws more lines than the cursor can return over', () => {
  const { area, take } = record(3);
  area.draw(['1', '2', '3', '4']);
  expect(take()).toBe('3\n4');
});
