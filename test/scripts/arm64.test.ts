/**
 * Host tests with the executable for arm64, under the emulator of Debian's package qemu-user-static: about 15 minutes, so only
 * on demand. skopeo, the runtimes and the services are those of this machine.
 *
 *   ATOMIC_ARM64=yes scripts/test arm64
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const checkout = join(import.meta.dir, '../..');
/** Where the host sees the emulated executable and its libraries. */
const place = '/opt/arm64';
const libraries = ['libc6', 'libgcc-s1', 'libglib2.0-0', 'libostree-1-1', 'libstdc++6', 'zlib1g'];
const limitSeconds = 1200;
setDefaultTimeout(limitSeconds * 1000);

function run(program: string, words: readonly string[], input = '') {
  const env = { ...process.env, ATOMIC_IMAGE_ARCHITECTURE: 'arm64' };
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: checkout,
    env,
    input,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

function succeed(...words: Parameters<typeof run>): string {
  const { status, output } = run(...words);
  if (status !== 0) throw new Error(`${words[0]} ended with ${status}:\n${output}`);
  return output;
}

const isWanted = process.env.ATOMIC_ARM64 === 'yes';

describe.if(isWanted)('the executable for arm64', () => {
  // The body of a description that is left out runs, too.
  const folder = isWanted ? mkdtempSync('/var/tmp/atomic-arm64-') : '';

  beforeAll(() => {
    succeed(process.execPath, ['scripts/build.ts', '--arch', 'arm64', 'src/main.ts', join(folder, 'atomic')]);
    const emulate = `#!/bin/sh\nexec qemu-aarch64-static -L ${place}/root ${place}/atomic "$@"\n`;
    writeFileSync(join(folder, 'emulated'), emulate, { mode: 0o755 });
    const sources = succeed('bash', ['-c', '. scripts/debian-packages && list_sources bookworm']);
    const settings = join(folder, 'apt.conf');
    writeFileSync(settings, succeed('bash', ['-c', "apt-config dump | grep '^Acquire::' || true"]));
    const options = ['--mode=root', '--variant=extract', '--architectures=arm64', `--aptopt=${settings}`];
    const include = `--include=${libraries.join(',')}`;
    const unpacked = join(folder, 'unpacked');
    succeed('mmdebstrap', ['--quiet', ...options, include, 'bookworm', unpacked, '-'], sources);
    // qemu shows every path of this folder in the place of the host's, so that it has only libraries.
    for (const path of ['lib/ld-linux-aarch64.so.1', 'lib/aarch64-linux-gnu', 'usr/lib/aarch64-linux-gnu']) {
      mkdirSync(dirname(join(folder, 'root', path)), { recursive: true });
      renameSync(join(unpacked, path), join(folder, 'root', path));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** With a pattern, only some tests of a file: the others look at system calls or at command lines, which are those of qemu. */
  test.each([
    ['main-job', ''],
    ['image-store', 'list, info|used image|nothing is deleted|prune frees'],
    ['images-verify', 'running service|without the registry'],
    ['mount', 'merged root|setuid|refused|in use|not uninstalled|diff'],
    ['json-documents', 'of images|of a container|of roots'],
  ])('passes %s', (name, pattern) => {
    const words = [`./test/host/${name}.test.ts`, '--timeout', String(limitSeconds * 1000)];
    const script = `mount --bind ${place}/emulated /usr/bin/atomic && atomic --version && exec "$@"`;
    const tests = ['node_modules/.bin/bun', 'test', ...words, ...(pattern === '' ? [] : ['-t', pattern])];
    const host = ['--bind', `${folder}:${place}`, '--timeout', String(limitSeconds)];
    expect(run('scripts/host', [...host, '--', 'bash', '-c', script, 'bash', ...tests])).toMatchObject({
      status: 0,
    });
  });
});
