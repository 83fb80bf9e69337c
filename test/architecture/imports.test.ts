/** The rules of the folder table in docs/architecture.md, checked on the sources themselves. */
import { describe, expect, test } from 'bun:test';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SyntaxKind } from 'typescript/unstable/ast';
import { scanTokens, type Token } from './source-tokens.ts';

const root = join(import.meta.dir, '../..');

/** Folder of src/ -> the other folders that it may import. src/main.ts may import all of them. */
const MAY_IMPORT: Record<string, string[]> = {
  commands: ['cli', 'containers', 'store', 'source', 'host', 'image', 'base'],
  cli: ['base'],
  containers: ['store', 'ostree', 'host', 'image', 'base'],
  store: ['ostree', 'source', 'tar', 'host', 'native', 'image', 'base'],
  source: ['tar', 'host', 'native', 'image', 'base'],
  tar: ['ostree', 'base'],
  ostree: ['host', 'native', 'image', 'base'],
  host: ['native', 'base'],
  native: [],
  image: ['base'],
  base: [],
};

/** Folders without effects, whatever is below them. */
const PURE_FOLDERS = [
  ...['src/base', 'src/image', 'src/tar'],
  ...['src/containers/render', 'src/containers/consent', 'src/containers/lint'],
];

/** A folder has one subject; the list of its files fits on a screen. */
const MAX_FILES = 26;

/** Modules without effects. */
const PURE_MODULES = ['node:buffer', 'node:path/posix'];

const MAX_LINES = 300;

interface Source {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
  readonly tokens: Token[];
}

const sources: Source[] = listFiles('src/**/*.ts').map((path) => {
  const text = read(path);
  return { path, text, tokens: scanTokens(text) };
});

test('there are sources to check', () => {
  expect(sources.length).toBeGreaterThan(50);
});

describe('imports', () => {
  test('every folder of src/ is in the table', () => {
    const folders = new Set(sources.map(folderOf).filter((folder) => folder !== undefined));
    expect([...folders].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
  });

  test('go in one direction through the folders', () => {
    const wrong = sources.flatMap((source) =>
      listImports(source)
        .filter(({ name }) => name.startsWith('.') && !mayImport(source, name))
        .map(({ name, line }) => `${source.path}:${line} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('of the pure folders are pure', () => {
    const wrong = sources
      .filter(({ path }) => PURE_FOLDERS.some((folder) => path.startsWith(`${folder}/`)))
      .flatMap((source) =>
        listImports(source)
          .filter(({ name }) => !name.startsWith('.') && !PURE_MODULES.includes(name))
          .map(({ name, line }) => `${source.path}:${line} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test('of koffi are in native only', () => {
    const wrong = sources
      .filter((source) => folderOf(source) !== 'native')
      .flatMap((source) =>
        listImports(source)
          .filter(({ name }) => name === 'koffi')
          .map(({ line }) => `${source.path}:${line} imports koffi`),
      );
    expect(wrong).toEqual([]);
  });
});

/** Loads a module, for which there is no other call; it reads nothing of the process. */
const LOADER = 'src/native/memory-module.ts';

test('only src/main.ts reads process.* and Bun.env', () => {
  const wrong = sources
    .filter((source) => source.path !== 'src/main.ts' && source.path !== LOADER)
    .flatMap((source) => listProcessReads(source).map((line) => `${source.path}:${line}`));
  expect(wrong).toEqual([]);
});

test('what counts as reading process', () => {
  const tokens = scanTokens(
    [
      'process.env;',
      "process['env'];",
      'globalThis.process;',
      'Bun.env.HOME;',
      "import { argv } from 'node:process';",
      'config.process.args; // process.env',
      'config?.process?.args;',
      "const text = { process: 'process.env' };",
    ].join('\n'),
  );
  expect(listProcessReads({ path: '', text: '', tokens })).toEqual([1, 2, 3, 4, 5]);
});

test('form no circle between folders, at any depth', () => {
  const arrows = new Map<string, Set<string>>();
  for (const source of sources) {
    const from = dirname(source.path);
    for (const { name } of listImports(source).filter(({ name }) => name.startsWith('.'))) {
      const to = dirname(join(from, name));
      if (to !== from) arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
    }
  }
  expect(findCircle(arrows)).toEqual([]);
});

test(`no folder has more than ${MAX_FILES} files of its own`, () => {
  const counts = new Map<string, number>();
  for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > MAX_FILES)).toEqual([]);
});

test(`no source is longer than ${MAX_LINES} lines`, () => {
  const long = sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}:${lines}`);
  expect(long).toEqual([]);
});

test('JSON is parsed within limits: `parseJson` of json-text.ts, not `JSON.parse`', () => {
  // Both read what a program like this one wrote, of a size that only the host decides.
  const ownFiles = ['json-text.ts', 'cache-file.ts', 'implied-directories.ts'];
  const wrong = sources
    .filter(({ path }) => !ownFiles.includes(basename(path)))
    .flatMap(({ path, tokens }) =>
      tokens.flatMap(({ text, line }, index) => {
        const isCall =
          text === 'JSON' && tokens[index + 1]?.text === '.' && tokens[index + 2]?.text === 'parse';
        return isCall ? [`${path}:${line}`] : [];
      }),
    );
  expect(wrong).toEqual([]);
});

test('every source that a document names is there', () => {
  const named = [...listFiles('docs/*.md'), 'README.md'].flatMap((path) =>
    [...read(path).matchAll(/`(?:src\/)?((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(([, name = '']) => ({
      path,
      name,
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter(
    ({ name }) => !existsSync(join(root, 'src', name)) && !existsSync(join(root, name)),
  );
  expect(missing).toEqual([]);
});

test('nothing refers to a folder beside the checkout', () => {
  const wrong = [...listFiles('{src,docs}/**/*.*'), ...listFiles('README*')].flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (line.includes('../shared') ? [`${path}:${index + 1}`] : [])),
  );
  expect(wrong).toEqual([]);
});

/** @returns the folders of one circle, the first again at the end; empty when there is none */
function findCircle(arrows: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const done = new Set<string>();
  const visit = (folder: string, path: readonly string[]): readonly string[] => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return [];
    for (const next of arrows.get(folder) ?? []) {
      const circle = visit(next, [...path, folder]);
      if (circle.length > 0) return circle;
    }
    done.add(folder);
    return [];
  };
  for (const folder of arrows.keys()) {
    const circle = visit(folder, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

/** Undefined for files directly in src/. */
function folderOf(source: { path: string }): string | undefined {
  return /^src\/([^/]+)\//.exec(source.path)?.[1];
}

/** @param name as written in the import, relative to the source */
function mayImport(source: Source, name: string): boolean {
  const target = join(dirname(source.path), name);
  if (target === 'package.json') return true;
  const from = folderOf(source);
  if (from === undefined) return true;
  const to = folderOf({ path: target });
  return to !== undefined && (to === from || (MAY_IMPORT[from] ?? []).includes(to));
}

/** `import ... from`, `export ... from`, `import '...'` and `import('...')` with a literal. */
function listImports({ tokens }: Source): { name: string; line: number }[] {
  return tokens.flatMap((token, index) => {
    const before = tokens[index - 1]?.text;
    const isImport =
      before === 'from' || before === 'import' || (before === '(' && tokens[index - 2]?.text === 'import');
    return isImport && isStringLiteral(token) ? [{ name: token.text, line: token.line }] : [];
  });
}

/** Lines that read the global `process` (not a property of that name), import it, or read `Bun.env`. */
function listProcessReads({ tokens }: Source): number[] {
  return tokens.flatMap((token, index) => {
    const text = (offset: number) => tokens[index + offset]?.text ?? '';
    const isProperty = ['.', '?.'].includes(text(-1));
    const isRead =
      (token.text === 'process' && !isProperty && ['.', '?.', '['].includes(text(1))) ||
      (token.text === 'process' && isProperty && text(-2) === 'globalThis') ||
      (token.text === 'Bun' && text(1) === '.' && text(2) === 'env') ||
      (token.text === 'node:process' && isStringLiteral(token));
    return isRead ? [token.line] : [];
  });
}

function isStringLiteral(token: Token): boolean {
  return token.kind === SyntaxKind.StringLiteral;
}

function listFiles(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).sort();
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
