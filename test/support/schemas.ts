/**
 * Compares the JSON output of the program with docs/schemas. These allow more keys, because keys may be added; here an
 * undocumented key is a failure.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { findVerb } from '../../src/cli/arguments/find-verb.ts';
import { parseArguments } from '../../src/cli/arguments/parse-arguments.ts';
import { verbs } from '../../src/commands/verbs.ts';

const folder = join(import.meta.dir, '../../docs/schemas');
/** Parts of the others, no document of its own. */
const COMMON = 'common';

/** The names of all schemas of documents: a verb with `-` between its words, `error`, `progress`. */
export const schemaNames: readonly string[] = readdirSync(folder)
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => name !== COMMON)
  .sort();

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
for (const name of [COMMON, ...schemaNames]) {
  ajv.addSchema(
    forbidOtherKeys(JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))),
    `${name}.json`,
  );
}

const found = new Set<string>();

/** The schemas that a document of this process was compared with. */
export function listFoundSchemas(): readonly string[] {
  return [...found].sort();
}

/** @throws Error with the fault, when `text` is not JSON or does not match docs/schemas/NAME.json */
export function requireSchema(name: string, text: string): void {
  const validate = getValidator(name);
  const document: unknown = JSON.parse(text);
  if (!validate(document)) {
    const problems = ajv.errorsText(validate.errors, { separator: '\n' });
    throw new Error(`not as in docs/schemas/${name}.json:\n${text}\n${problems}`);
  }
  found.add(name);
}

/** @param lines what `--progress-fd` has written */
export function requireProgressSchema(lines: string): void {
  for (const line of lines.trimEnd().split('\n')) requireSchema('progress', line);
}

export interface JsonRun {
  readonly args: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/**
 * Compares a run of the program that was asked for JSON: the document on standard output, and, when it failed without one,
 * the error on the last line of standard error. Does nothing for another run.
 *
 * @throws Error with the fault
 */
export async function requireJsonRun({ args, stdout, stderr, status }: JsonRun): Promise<void> {
  if (stdout === '' && status !== 0 && args.includes('--json')) {
    requireSchema('error', stderr.trimEnd().split('\n').at(-1) ?? '');
  } else if (stdout !== '') {
    const name = await findDocument(args);
    if (name !== undefined) requireSchema(name, stdout);
  }
}

/** The schema of what these words print; `undefined` when that is no JSON. */
async function findDocument(args: readonly string[]): Promise<string | undefined> {
  const request = findVerb(args, verbs);
  if (request.kind !== 'verb') return undefined;
  const { path, load } = request.verb;
  const parsed = parseArguments(path, await load(), request.rest);
  if (parsed.kind === 'help') return undefined;
  const { json, quiet } = parsed.input.options;
  const printsIds = quiet === true && path !== 'pull';
  const printsJson = path === 'images inspect' || (json === true && !printsIds);
  return printsJson ? path.replace(' ', '-') : undefined;
}

function getValidator(name: string): ValidateFunction {
  const validate = ajv.getSchema(`${name}.json`);
  if (validate === undefined) throw new Error(`docs/schemas/${name}.json is missing`);
  return validate;
}

/** Closes every object whose keys a schema names. */
function forbidOtherKeys(schema: unknown): Record<string, unknown> {
  const closed = close(schema);
  if (typeof closed !== 'object' || closed === null) throw new Error('a schema is an object');
  return { ...closed };
}

function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
  return 'type' in schema && schema.type === 'object' && 'properties' in schema
    ? { additionalProperties: false, ...members }
    : members;
}
