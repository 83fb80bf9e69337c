/** The second half of scripts/test: chooses the test files, runs them in their groups and adds up the results. */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Limits that end what hangs; no test is expected to come near them. */
const TEST_LIMIT_MS = 120_000;
const RUN_LIMIT_SECONDS = 300;

/** Folders of tests that need root and a real filesystem, but no systemd. */
const STORE_FOLDERS = ['test/store/', 'test/source/', 'test/containers/'];
const HOST_FOLDER = 'test/host/';

interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

const BUN = 'node_modules/.bin/bun';
const reports = mkdtempSync(join(tmpdir(), 'atomic-test-reports-'));
const results = await runAll(process.argv.slice(2));
rmSync(reports, { recursive: true });

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
for (const result of results) if (result.failed > 0) console.log(`failed: ${result.name} (${result.failed})`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

async function runAll(patterns: string[]): Promise<Result[]> {
  const files = findTestFiles(patterns);
  const host = files.filter((file) => file.startsWith(HOST_FOLDER));
  const store = files.filter((file) => STORE_FOLDERS.some((folder) => file.startsWith(folder)));
  const unit = files.filter((file) => !host.includes(file) && !store.includes(file));
  const results: Result[] = [];
  if (files.length === 0) results.push(fail(`no test file for ${patterns.join(' ')}`));
  if (patterns.length === 0) results.push(await runCheck());
  if (unit.length > 0) results.push(await runGroup('unit tests', unit));
  if (store.length > 0) results.push(await runGroup('store tests', store));
  return [...results, ...(await runHostTests(host))];
}

function findTestFiles(patterns: string[]): string[] {
  return globSync('test/**/*.test.ts')
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}

async function runCheck(): Promise<Result> {
  console.log('== type check and lint');
  const { status } = await runProgram('npm', ['run', '--silent', 'check'], 'shown');
  return status === 0 ? { name: 'check', passed: 0, failed: 0 } : fail('type check and lint');
}

async function runGroup(name: string, files: string[]): Promise<Result> {
  console.log(`== ${name}: ${files.length} files`);
  const report = join(reports, `${name}.xml`);
  const { status } = await runProgram(BUN, bunArguments(files, report), 'shown');
  return readResult(name, files, report, status);
}

/** Every file gets a fresh host. The output of a file is shown when the file is done. */
async function runHostTests(files: string[]): Promise<Result[]> {
  const atOnce = Math.max(2, availableParallelism());
  if (files.length > 0) console.log(`== host tests: ${files.length} files, ${atOnce} at a time`);
  const waiting = [...files];
  const results: Result[] = [];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      results.push(await runHostTest(file));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

async function runHostTest(file: string): Promise<Result> {
  const report = join(reports, `${file.replaceAll('/', '-')}.xml`);
  const { status, output } = await runProgram(
    'scripts/host',
    [
      ...['--bind', `${reports}:${reports}`],
      ...['--timeout', String(RUN_LIMIT_SECONDS), '--'],
      ...[BUN, ...bunArguments([file], report)],
    ],
    'collected',
  );
  console.log(`== host test: ${file}\n${output.trimEnd()}`);
  return readResult(file, [file], report, status);
}

function bunArguments(files: string[], report: string): string[] {
  return [
    ...['test', `--timeout=${TEST_LIMIT_MS}`, '--reporter=junit', `--reporter-outfile=${report}`],
    ...files.map((file) => `./${file}`),
  ];
}

function runProgram(program: string, args: string[], mode: 'shown' | 'collected') {
  return new Promise<{ status: number | string; output: string }>((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: mode === 'shown' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      // scripts/host keeps its own, shorter limit, and cleans up after it
      timeout: (RUN_LIMIT_SECONDS + 30) * 1000,
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ status: code ?? signal ?? 'unknown', output: Buffer.concat(chunks).toString() });
    });
  });
}

/**
 * The counts of one run of `bun test`. A file without a result counts as one failure: it could not be loaded, or one of
 * its tests ended the process, which would otherwise pass.
 */
function readResult(name: string, files: string[], path: string, status: number | string): Result {
  const report = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const total = /<testsuites [^>]*>/.exec(report)?.[0] ?? '';
  const count = (attribute: string) => Number(new RegExp(` ${attribute}="(\\d+)"`).exec(total)?.[1] ?? 0);
  const missing = files.filter((file) => !report.includes(`<testsuite name="${file}" `));
  for (const file of missing) console.log(`no result: ${file} (the run ended with ${status})`);
  const failed = count('failures') + missing.length;
  return {
    name,
    passed: count('tests') - count('failures') - count('skipped'),
    failed: failed === 0 && status !== 0 ? 1 : failed,
  };
}

function fail(name: string): Result {
  return { name, passed: 0, failed: 1 };
}
