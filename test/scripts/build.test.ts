/** The executable that scripts/build.ts makes. */
import { expect, test } from 'bun:test';
import { copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { failingAtomic, runAtomic } from '../support/atomic.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

const built = fileURLToPath(new URL('../../dist/atomic', import.meta.url));

test('a stack names files and lines of the sources, also without the checkout beside it', async () => {
  const folder = await createTemporaryFolder('build');
  const program = folder.join('atomic');
  await copyFile(built, program);
  const env = { ATOMIC_OSTREE_REPO: folder.join('repo') };
  const error = await failingAtomic(1, ['--debug', 'images', 'info', 'none.test/x'], { program, env });
  await folder.remove();
  expect(error).toMatch(/^ {2}at (?:async )?run \(src\/commands\/images\/info\.ts:\d+:\d+\)$/m);
});

test('--debug shows the programs that were run, with status and duration', async () => {
  const folder = await createTemporaryFolder('debug');
  const env = { ATOMIC_OSTREE_REPO: folder.join('repo'), HOME: folder.path };
  const words = ['--debug', 'pull', '--retry', '0', 'http:127.0.0.1:1/x'];
  const { stderr } = await runAtomic(words, { env });
  await folder.remove();
  expect(stderr).toMatch(/^debug: skopeo experimental-image-proxy .*: \S.* after \d+ ms$/m);
});
