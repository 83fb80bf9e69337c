/**
 * The second half of scripts/test: chooses the test files, runs them in their groups and adds up the results.
 *
 *   run-tests.ts [--release=RELEASE] [--sample=RELEASE] [--name=NAME] [PATTERN]...
 *   run-tests.ts --fuzz=SECONDS
 *
 * `--release` runs everything in hosts of that release of Debian instead of this machine, `--sample` adds a few files
 * that are run there. The other options are those of scripts/test.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Time limits for runs that hang; no test is expected to come near them. */
const TEST_LIMIT_MS = 120_000;
const HOST_LIMIT_SECONDS = 300;
const GROUP_LIMIT_SECONDS = 1200;
const RUN_LIMIT_MS = 1_300_000;
/** Beside the seconds that a fuzz target is given. */
const FUZZ_START_MS = 60_000;

/** Folders of tests that need root and a real filesystem, but no systemd. */
const STORE_FOLDERS = ['test/store/', 'test/source/', 'test/containers/'];
/** Tests of the scripts, which boot hosts of their own. */
const SCRIPT_FOLDERS = ['test/scripts/'];
/** Every file in here gets a fresh host. */
const HOST_FOLDERS = ['test/host/'];

/** The tests of parts that differ between releases: systemd, the runtimes, messages of skopeo, policies, and Docker. */
const SAMPLE = [
  'test/host/main-job.test.ts',
  'test/host/install.test.ts',
  'test/host/docker-sources.test.ts',
  'test/store/pull/bad-registry.test.ts',
  'test/store/trust/signatures.test.ts',
  'test/store/trust/trust-policy.test.ts',
];

/** One child process and its test files. */
interface Run {
  readonly name: string;
  readonly argv: [program: string, ...words: string[]];
  /** Test files and where `bun test` writes their results; none for the check. */
  readonly files: readonly string[];
  readonly report: string;
  /** Default: `RUN_LIMIT_MS`. */
  readonly limitMs?: number;
}

interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

const BUN = 'node_modules/.bin/bun';
const { values, positionals: patterns } = parseArgs({
  options: {
    release: { type: 'string' },
    sample: { type: 'string' },
    name: { type: 'string' },
    fuzz: { type: 'string' },
  },
  allowPositionals: true,
});
const reports = mkdtempSync(join(tmpdir(), 'atomic-test-reports-'));
/** The folder that tests in hosts of another release see as /var/tmp: on the real filesystem, as on this machine. */
const stores = mkdtempSync('/var/tmp/atomic-test-stores-');
const results = await runAll(values.fuzz === undefined ? planRuns(patterns) : planFuzz(Number(values.fuzz)));
for (const folder of [reports, stores]) rmSync(folder, { recursive: true });

if (values.name !== undefined && results.every((result) => result.passed + result.failed === 0)) {
  results.push({ name: `no test named ${values.name}`, passed: 0, failed: 1 });
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
for (const result of results) if (result.failed > 0) console.log(`failed: ${result.name} (${result.failed})`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

function planRuns(patterns: readonly string[]): Run[] {
  const all = globSync('test/**/*.test.ts').sort();
  const { name } = values;
  if (patterns.length > 0) {
    return planFiles(
      all.filter((file) => patterns.some((pattern) => file.includes(pattern))),
      values.release,
    );
  }
  if (name !== undefined) {
    return planFiles(
      all.filter((file) => readFileSync(file, 'utf8').includes(name)),
      values.release,
    );
  }
  const check: Run = { name: 'check', argv: ['npm', 'run', '--silent', 'check'], files: [], report: '' };
  return [
    check,
    ...planFiles(all, values.release),
    ...(values.sample === undefined ? [] : planFiles(SAMPLE, values.sample)),
  ];
}

/** A run for each target, so that all cores have one. */
function planFuzz(seconds: number): Run[] {
  return readdirSync('test/fuzz/corpus')
    .sort()
    .map((target) => {
      const report = join(reports, `fuzz ${target}.xml`);
      const words = [...bunWords(['test/fuzz/fuzz.test.ts'], report), '-t', `^${target} `];
      return {
        name: `fuzz ${target}`,
        argv: ['env', `ATOMIC_FUZZ_SECONDS=${seconds}`, BUN, ...words],
        files: ['test/fuzz/fuzz.test.ts'],
        report,
        limitMs: seconds * 1000 + FUZZ_START_MS,
      };
    });
}

function planFiles(files: readonly string[], release: string | undefined): Run[] {
  const isIn = (folders: string[]) => (file: string) => folders.some((folder) => file.startsWith(folder));
  const elsewhere = (file: string) => !isIn([...STORE_FOLDERS, ...SCRIPT_FOLDERS, ...HOST_FOLDERS])(file);
  return [
    ...planGroup('unit tests', files.filter(elsewhere), release),
    ...planGroup('store tests', files.filter(isIn(STORE_FOLDERS)), release),
    ...planGroup('script tests', files.filter(isIn(SCRIPT_FOLDERS)), release),
    ...files.filter(isIn(HOST_FOLDERS)).map((file) => planInHost(file, [file], HOST_LIMIT_SECONDS, release)),
  ];
}

function planGroup(name: string, files: string[], release: string | undefined): Run[] {
  if (files.length === 0) return [];
  if (release !== undefined) return [planInHost(name, files, GROUP_LIMIT_SECONDS, release)];
  const report = join(reports, `${name}.xml`);
  // A namespace of its own: a host that boots beside it must not take copies of the mounts that tests make and end.
  return [{ name, argv: ['unshare', '--mount', BUN, ...bunWords(files, report)], files, report }];
}

function planInHost(name: string, files: string[], limitSeconds: number, release: string | undefined): Run {
  // A folder of its own: a host must not see what the tests beside it write.
  const folder = mkdtempSync(join(reports, 'host-'));
  const report = join(folder, 'report.xml');
  const options = ['--bind', `${folder}:${folder}`, '--timeout', String(limitSeconds)];
  if (release !== undefined) {
    const temporary = mkdtempSync(join(stores, 'host-'));
    chmodSync(temporary, 0o1777);
    options.push('--bind', `${temporary}:/var/tmp`, '--release', release);
  }
  return {
    name: release === undefined ? name : `${name} on ${release}`,
    argv: ['scripts/host', ...options, '--', BUN, ...bunWords(files, report)],
    files,
    report,
  };
}

function bunWords(files: string[], report: string): string[] {
  return [
    ...['test', `--timeout=${TEST_LIMIT_MS}`, '--reporter=junit', `--reporter-outfile=${report}`],
    ...(values.name === undefined ? [] : ['-t', escapeRegExp(values.name)]),
    ...files.map((file) => `./${file}`),
  ];
}

/** `bun test -t` takes a regular expression. */
function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** As many at a time as there are cores. The output of a run is shown when it is done, so that none mix. */
async function runAll(runs: readonly Run[]): Promise<Result[]> {
  if (runs.length === 0) {
    if (values.name !== undefined && patterns.length === 0) return [];
    return [{ name: `no test file for ${patterns.join(' ')}`, passed: 0, failed: 1 }];
  }
  const waiting = [...runs];
  const results: Result[] = [];
  const work = async () => {
    for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
      console.log(`== starts: ${run.name}`);
      const { status, output } = await runProgram(run);
      console.log(`== done: ${run.name}\n${output.trimEnd()}`);
      results.push(readResult(run, status));
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  return results;
}

function runProgram({ argv: [program, ...words], limitMs: timeout = RUN_LIMIT_MS }: Run) {
  return new Promise<{ status: number | string; output: string }>((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ status: code ?? signal ?? 'unknown', output: Buffer.concat(chunks).toString() });
    });
  });
}

/**
 * The counts of one run. A file without a result counts as one failure: it could not be loaded, or one of its tests
 * ended the process, which would otherwise pass.
 */
function readResult({ name, files, report: path }: Run, status: number | string): Result {
  const report = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const total = /<testsuites [^>]*>/.exec(report)?.[0] ?? '';
  const count = (attribute: string) => Number(new RegExp(` ${attribute}="(\\d+)"`).exec(total)?.[1] ?? 0);
  const missing = files.filter((file) => !report.includes(`<testsuite name="${file}" `));
  for (const file of missing) console.log(`no result: ${file} (the run ended with ${status})`);
  const failed = count('failures') + missing.length;
  const passed = count('tests') - count('failures') - count('skipped');
  // `bun test` fails when no test of the files has the name: another file may have it.
  const isOther = values.name !== undefined && passed === 0 && count('skipped') > 0;
  return { name, passed, failed: failed === 0 && status !== 0 && !isOther ? 1 : failed };
}
