/** Programs that make what a test needs. */
import { spawnSync } from 'node:child_process';

const TIMEOUT_MS = 120_000;

/** Runs a program. @returns its standard output; @throws Error with everything it printed when it fails */
export function run(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): string {
  const [program = '', ...args] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, ...env },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}
