/** Readers without the lock, beside a command that deletes and prunes what they read. */
import { expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { AtomicError } from '../../src/base/errors.ts';
import { readThroughRef } from '../../src/ostree/read-through-ref.ts';
import { withSecondLook } from '../../src/store/access/store-lock.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const [first, second] = ['1'.repeat(64), '2'.repeat(64)] as const;
const damage = new AtomicError('STORE_CORRUPT', 'reading object: it is missing');

function writeRef({ locations }: Sandbox, commit: string): string {
  const folder = `${locations.repository}/refs/heads/ociimage`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/web`, `${commit}\n`);
  return `${folder}/web`;
}

/** Reads the ref; the commits that are named here are missing, and `meanwhile` runs before that is noticed. */
function read({ locations }: Sandbox, missing: readonly string[], meanwhile: () => void): string | undefined {
  return readThroughRef(locations.repository, 'ociimage/web', (commit) => {
    meanwhile();
    if (missing.includes(commit)) throw damage;
    return commit;
  });
}

test('a commit that is missing is damage only as long as the ref names it', async () => {
  await using sandbox = await createSandbox();
  const ref = writeRef(sandbox, first);
  expect(() => read(sandbox, [first], () => undefined)).toThrow(damage);
  expect(read(sandbox, [first], () => writeFileSync(ref, `${second}\n`))).toBe(second);
  expect(read(sandbox, [second], () => rmSync(ref, { force: true }))).toBeUndefined();
});

test('an error that is not damage causes no second read', async () => {
  await using sandbox = await createSandbox();
  const ref = writeRef(sandbox, first);
  const bug = new TypeError('a bug');
  const failing = () =>
    readThroughRef(sandbox.locations.repository, 'ociimage/web', () => {
      rmSync(ref, { force: true });
      throw bug;
    });
  expect(failing).toThrow(bug);
  await expect(withSecondLook(sandbox.host, () => Promise.reject(bug))).rejects.toBe(bug);
});

test('the second read has the lock and decides, also about warnings', async () => {
  await using sandbox = await createSandbox();
  const answers = [damage, 'found'];
  const look = async (): Promise<string> => {
    const answer = answers.shift();
    if (typeof answer === 'string') return answer;
    throw answer;
  };
  expect(await withSecondLook(sandbox.host, look)).toBe('found');
  answers.push(damage, damage);
  await expect(withSecondLook(sandbox.host, look)).rejects.toBe(damage);
  let looks = 0;
  const warned = withSecondLook(sandbox.host, async (host) => {
    looks += 1;
    host.report({ kind: 'step', text: `look ${looks}` });
    host.report({ kind: 'warning', text: `seen at look ${looks}` });
    return looks;
  });
  expect(await warned).toBe(2);
  expect(sandbox.events).toEqual([
    { kind: 'step', text: 'look 1' },
    { kind: 'step', text: 'look 2' },
    { kind: 'warning', text: 'seen at look 2' },
  ]);
});
