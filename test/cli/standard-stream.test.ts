import { expect, test } from 'bun:test';
import { closeSync, openSync } from 'node:fs';
import { mayBeTerminal } from '../../src/cli/standard-stream.ts';

test.each([
  ['/dev/null', false],
  ['/dev/zero', false],
  ['/etc/passwd', false],
  // The side of a new terminal that a terminal program has.
  ['/dev/ptmx', true],
])('%s may be a terminal: %p', (path, expected) => {
  const fd = openSync(path, 'r+');
  try {
    expect(mayBeTerminal(fd)).toBe(expected);
  } finally {
    closeSync(fd);
  }
});
