import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { verbs } from '../../src/commands/verbs.ts';

const folder = mkdtempSync(`${tmpdir()}/atomic-pages-`);

beforeAll(() => build(`${folder}/one`));

afterAll(() => rmSync(folder, { recursive: true }));

function build(target: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build-pages.ts', target], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
  });
  if (status !== 0) throw new Error(stderr);
}

function listPages(target: string): readonly string[] {
  return ['man1', 'man5', 'man7'].flatMap((section) =>
    readdirSync(`${target}/${section}`)
      .sort()
      .map((file) => `${target}/${section}/${file}`),
  );
}

test('each verb has a page, and the page names its options and operands', async () => {
  for (const { path, load } of verbs) {
    const text = readFileSync(`${folder}/one/man1/atomic-${path.replaceAll(' ', '-')}.1`, 'utf8');
    const { options, operands } = await load();
    for (const name of Object.keys(options)) expect(text).toContain(`\\-\\-${name.replaceAll('-', '\\-')}`);
    for (const { label } of Object.values(operands)) expect(text).toContain(label.replaceAll('-', '\\-'));
  }
});

test('the page of the program names the page of each verb', () => {
  const text = readFileSync(`${folder}/one/man1/atomic.1`, 'utf8');
  for (const { path } of verbs) {
    expect(text).toContain(`\\fBatomic\\-${path.replaceAll(/[ -]/g, '\\-')}\\fR(1)`);
  }
});

test('mandoc finds nothing to report', () => {
  const pages = listPages(`${folder}/one`);
  const { stdout, status } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', ...pages], {
    encoding: 'utf8',
  });
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});

test('the pages of section 5 have the settings and the files of an image', () => {
  const show = (page: string): string =>
    spawnSync('mandoc', ['-T', 'ascii', `${folder}/one/man5/${page}`], { encoding: 'utf8' }).stdout;
  const plain = (text: string): string => text.replace(/.\u0008/g, '').replace(/\s+/g, ' ');
  expect(plain(show('atomic.conf.5'))).toContain('ostree_repository The OSTree repository of root');
  expect(plain(show('atomic-image.5'))).toContain('/exports/manifest.json');
});

test('two builds are equal', () => {
  build(`${folder}/two`);
  const read = (target: string) => listPages(target).map((page) => readFileSync(page, 'utf8'));
  expect(read(`${folder}/two`)).toEqual(read(`${folder}/one`));
});
