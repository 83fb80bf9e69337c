/** The same mistake has the same status and code with every verb. Every verb must be in the table. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import type { OperandSpec } from '../../src/cli/arguments/command-spec.ts';
import { findVerb } from '../../src/cli/arguments/find-verb.ts';
import { parseArguments } from '../../src/cli/arguments/parse-arguments.ts';
import { explainFailure } from '../../src/cli/failure.ts';
import { plainDisplay } from '../../src/cli/output/display.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** Words after a verb: `IMAGE` is replaced by the mistake, `DIR` by an empty folder. */
type Words = string;

interface Row {
  /** Command lines with a missing argument, in addition to those that follow from the operands. */
  readonly missing?: readonly Words[];
  readonly image?: readonly Words[];
  /** Where an unknown image would be fetched, or another status is right. */
  readonly badImage?: readonly Words[];
  readonly container?: readonly Words[];
  readonly badContainer?: readonly Words[];
  /** The command lines that need root. */
  readonly root?: readonly Words[];
}

const table: Readonly<Record<string, Row>> = {
  pull: { badImage: ['IMAGE', '--as IMAGE x'] },
  'images list': {},
  'images delete': { missing: [''], image: ['-f IMAGE', '-f --json IMAGE'] },
  'images prune': {},
  'images tag': { image: ['IMAGE x'], badImage: ['x IMAGE'] },
  'images info': { image: ['IMAGE', '--json IMAGE'] },
  'images inspect': { image: ['IMAGE'] },
  'images history': { image: ['IMAGE'] },
  'images version': { image: ['IMAGE'] },
  'images update': { missing: [''], image: ['IMAGE'] },
  'images verify': { image: ['IMAGE', '--repair IMAGE', '--remote IMAGE'] },
  'images push': { image: ['IMAGE', 'IMAGE reg.example.com/x'] },
  'images export': { image: ['IMAGE dir:DIR/out'] },
  install: { badImage: ['IMAGE'], badContainer: ['--name NAME x'], root: ['x', '--display x'] },
  'containers list': {},
  'containers inspect': { container: ['NAME', '--json NAME'], badContainer: ['NAME'] },
  'containers delete': {
    missing: [''],
    container: ['-f NAME', '--json -f NAME'],
    badContainer: ['-f NAME'],
    root: ['x', '-a'],
  },
  'containers verify': { container: ['NAME', '--repair NAME'], badContainer: ['NAME'], root: ['x'] },
  'containers update': {
    missing: ['', '--set A=1 x y', '--all x'],
    container: ['NAME', '--pull NAME'],
    badContainer: ['NAME'],
    root: ['x', '--all'],
  },
  'containers rollback': { container: ['NAME', '--display NAME'], badContainer: ['NAME'], root: ['x'] },
  'containers check': { container: ['NAME', '--json NAME'], badContainer: ['NAME'], root: ['', 'x'] },
  'containers fetch': { container: ['NAME'], badContainer: ['NAME'], root: ['', 'x', '--all'] },
  'containers hold': { container: ['NAME'], badContainer: ['NAME'], root: ['x'] },
  'containers unhold': { container: ['NAME'], badContainer: ['NAME'], root: ['x'] },
  uninstall: { container: ['NAME', 'NAME other'], badContainer: ['NAME', 'x NAME'], root: ['x', 'x y'] },
  start: { container: ['NAME', '--settle 1 NAME'], badContainer: ['NAME'], root: ['x'] },
  stop: { container: ['NAME'], badContainer: ['NAME'], root: ['x'] },
  restart: { container: ['NAME'], badContainer: ['NAME'], root: ['x'] },
  status: { container: ['NAME', '--json NAME'], badContainer: ['NAME'] },
  logs: { container: ['NAME', '-n 1 NAME'], badContainer: ['NAME'] },
  mount: { image: ['IMAGE DIR'], root: ['x DIR'] },
  unmount: { root: ['DIR'] },
  diff: { missing: ['', 'x'], image: ['IMAGE x'] },
  lint: { image: ['IMAGE', '--json IMAGE'] },
  render: { image: ['IMAGE', 'IMAGE service'] },
  init: { image: ['--from IMAGE DIR/new'] },
  recover: { root: [''] },
  version: { image: ['IMAGE', '--json IMAGE'] },
};

const cases = verbs.map(({ path, load }) => ({ path, load, row: table[path] ?? {} }));
const expand = (kind: keyof Row) =>
  cases.flatMap(({ path, row }) => (row[kind] ?? []).map((words) => ({ path, words })));

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
  mkdirSync(sandbox.folder.join('empty'));
});
afterAll(() => sandbox.remove());

async function fail(path: string, words: Words, { mistake = '', uid = 0 } = {}) {
  const directory = sandbox.folder.join('empty');
  const line = [...path.split(' '), ...words.split(' ').filter((word) => word !== '')].map((word) =>
    word.replace(/^IMAGE$|^NAME$/, mistake).replace('DIR', directory),
  );
  const person = {
    assumeYes: false,
    ask: async () => undefined,
    isPresent: async () => false,
    findDisplay: () => plainDisplay,
  };
  try {
    const request = findVerb(line, verbs);
    if (request.kind !== 'verb') throw new Error(`${line.join(' ')} is no verb`);
    const command = await request.verb.load();
    const parsed = parseArguments(request.verb.path, command, request.rest);
    if (parsed.kind !== 'input') throw new Error(`${line.join(' ')} asks for help`);
    const output = await command.run({ ...sandbox.host, uid }, parsed.input, person);
    return { code: 'none', status: output.exitStatus ?? 0 };
  } catch (error) {
    const { code, exitStatus } = explainFailure(error);
    return { code, status: exitStatus };
  }
}

test('every verb is in the table', () => {
  expect(Object.keys(table).sort()).toEqual(verbs.map(({ path }) => path).sort());
});

test.each(cases)(
  '$path: an unknown option, and a value that an option cannot have',
  async ({ path, load }) => {
    expect(await fail(path, '--frobnicate')).toEqual({ code: 'BAD_OPTION', status: 2 });
    expect(await fail(path, '-Z')).toEqual({ code: 'BAD_OPTION', status: 2 });
    const { options } = await load();
    const [flag] = Object.entries(options).find(([, { kind }]) => kind === 'flag') ?? [];
    if (flag !== undefined)
      expect(await fail(path, `--${flag}=x`)).toEqual({ code: 'BAD_OPTION', status: 2 });
    const [value] = Object.entries(options).find(([, { kind }]) => kind === 'value') ?? [];
    if (value !== undefined)
      expect(await fail(path, `--${value}`)).toEqual({ code: 'BAD_OPTION', status: 2 });
  },
);

test.each(cases)('$path: a missing argument, and one too many', async ({ path, load, row }) => {
  const operands: readonly OperandSpec[] = Object.values((await load()).operands);
  const needed = operands.filter(({ count }) => count === undefined || count === 'some').length;
  for (let given = 0; given < needed; given++) {
    expect(await fail(path, 'x '.repeat(given))).toEqual({ code: 'BAD_OPTION', status: 2 });
  }
  for (const words of row.missing ?? []) {
    expect(await fail(path, words)).toEqual({ code: 'BAD_OPTION', status: 2 });
  }
  if (operands.some(({ count }) => count === 'many' || count === 'some')) return;
  expect(await fail(path, 'x '.repeat(operands.length + 1))).toEqual({ code: 'BAD_OPTION', status: 2 });
});

test.each(cases)('$path: another storage', async ({ path, load }) => {
  const { operands, options } = await load();
  if (!('storage' in options)) return;
  const named = Object.values(operands).filter((operand: OperandSpec) => operand.count !== 'after-dashes');
  const words = `--storage docker ${'x '.repeat(named.length)}`;
  expect(await fail(path, words)).toEqual({ code: 'BAD_VALUE', status: 2 });
});

describe('names', () => {
  const BAD = ['team/Upper:1', 'x:', 'x@sha256:12', 'http:', 'a//b'];
  test.each([...expand('image'), ...expand('badImage')])(
    '$path $words: no name of an image',
    async ({ path, words }) => {
      for (const mistake of BAD) {
        expect({ mistake, ...(await fail(path, words, { mistake })) }).toEqual({
          ...{ mistake, code: 'BAD_REFERENCE', status: 2 },
        });
      }
    },
  );

  test.each(expand('image'))('$path $words: an unknown image', async ({ path, words }) => {
    for (const mistake of [
      'nothing',
      'http:reg.example.com:5000/nothing:1',
      'docker:nothing',
      'abcdef012345',
    ]) {
      expect({ mistake, ...(await fail(path, words, { mistake })) }).toEqual({
        ...{ mistake, code: 'IMAGE_NOT_FOUND', status: 1 },
      });
    }
  });

  test.each(expand('badContainer'))(
    '$path $words: an invalid name of a container',
    async ({ path, words }) => {
      for (const mistake of ['a/b', '..', '.x']) {
        expect(await fail(path, words, { mistake })).toEqual({ code: 'BAD_VALUE', status: 2 });
      }
    },
  );

  test.each(expand('container'))('$path $words: an unknown container', async ({ path, words }) => {
    expect(await fail(path, words, { mistake: 'nothing' })).toEqual({
      code: 'CONTAINER_NOT_FOUND',
      status: 1,
    });
  });
});

test.each(expand('root'))('$path $words: a user who is not root', async ({ path, words }) => {
  expect(await fail(path, words, { uid: 1000 })).toEqual({ code: 'NOT_ROOT', status: 1 });
});
