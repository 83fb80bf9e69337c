import { expect, test } from 'bun:test';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unlinkIfThere } from '../../../src/host/files/unlink-file.ts';

test('a file or a symlink is removed, a missing one does not fail, and a folder stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'unlink-'));
  try {
    const [file, link, kept] = [`${folder}/file`, `${folder}/link`, `${folder}/kept`];
    writeFileSync(file, 'content');
    mkdirSync(kept);
    symlinkSync(kept, link);
    for (const path of [file, link, `${folder}/missing`]) {
      unlinkIfThere(path);
      expect(existsSync(path)).toBe(false);
    }
    expect(() => unlinkIfThere(kept)).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    expect(lstatSync(kept).isDirectory()).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a missing file does not fail on a read-only filesystem either', () => {
  unlinkIfThere('/proc/self/no-such-file');
  unlinkIfThere('/sys/no-such-file');
});
