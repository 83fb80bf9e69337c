/**
 * The package in minimal roots of Debian, with the dependencies that apt of this machine fetches, and lintian, which must be
 * installed. Takes minutes, so only on demand.
 *
 *   ATOMIC_PACKAGE_ROOTS=bookworm,trixie scripts/test package-roots
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';

const releases = (process.env.ATOMIC_PACKAGE_ROOTS ?? '').split(',').filter((release) => release !== '');
const checkout = join(import.meta.dir, '../..');
const name = 'atomic-system-containers';
setDefaultTimeout(900_000);

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function run(argv: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Run {
  const [program = '', ...words] = argv;
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1700000000', ATOMIC_COMMIT: 'test', ...options.env };
  const { status, stdout, stderr, error } = spawnSync(program, words, { ...options, env, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, output: stdout + stderr };
}

function succeed(...[argv, options]: Parameters<typeof run>): string {
  const { status, output } = run(argv, options);
  if (status !== 0) throw new Error(`# ${argv.join(' ')}\n${output}(status ${status})`);
  return output;
}

describe.if(releases.length > 0)('in minimal roots', () => {
  // The body of a description that is left out runs, too.
  const folder = releases.length > 0 ? mkdtempSync('/var/tmp/atomic-package-roots-') : '';
  const packaged = join(folder, `${name}_${version}_amd64.deb`);
  const foreign = join(folder, 'foreign.deb');
  const older = join(folder, 'atomic.deb');

  beforeAll(() => {
    succeed(['scripts/package', '--quick', '--output', folder, 'amd64'], { cwd: checkout });
    repack(packaged, foreign, /^Architecture: .*$/m, 'Architecture: arm64');
    buildOtherAtomic();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function repack(from: string, to: string, pattern: RegExp, replacement: string): void {
    const tree = `${to}.tree`;
    succeed(['dpkg-deb', '--raw-extract', from, tree]);
    const control = join(tree, 'DEBIAN/control');
    writeFileSync(control, readFileSync(control, 'utf8').replace(pattern, replacement));
    succeed(['dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, to]);
    rmSync(tree, { recursive: true });
  }

  /** A package like that of the program that this one replaces. */
  function buildOtherAtomic(): void {
    const tree = join(folder, 'other');
    for (const part of ['DEBIAN', 'usr/bin']) mkdirSync(join(tree, part), { recursive: true });
    const fields = [
      'Package: atomic',
      'Version: 1.22',
      'Architecture: all',
      'Maintainer: M <m@lists.invalid>',
    ];
    writeFileSync(join(tree, 'DEBIAN/control'), `${fields.join('\n')}\nDescription: other\n`);
    writeFileSync(join(tree, 'usr/bin/atomic'), '#!/bin/sh\necho other\n', { mode: 0o755 });
    succeed(['dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, older]);
  }

  describe.each(releases)('of %s', (release) => {
    const root = join(folder, release);
    const path = (file: string) => `/tmp/${file.slice(folder.length + 1)}`;

    /** A chroot has no systemd that runs. */
    const inRoot = (...argv: string[]): Run =>
      run(
        [
          'unshare',
          '--mount',
          '--pid',
          '--fork',
          `--mount-proc=${root}/proc`,
          'chroot',
          root,
          'env',
          ...argv,
        ],
        { env: { DEBIAN_FRONTEND: 'noninteractive', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } },
      );
    const apt = (...words: string[]): Run =>
      inRoot('apt-get', '--yes', '--no-install-recommends', '--allow-downgrades', ...words);
    /** What is installed, without what apt and dpkg record. */
    const listFiles = (): string[] => {
      const { output } = inRoot('find', '/etc', '/usr', '/var', '-xdev', '-not', '-type', 'd');
      return output
        .split('\n')
        .filter((file) => !/^\/var\/(?:lib\/(?:apt|dpkg)|cache|log)\//.test(file))
        .sort();
    };

    beforeAll(() => {
      const sources = succeed(['bash', '-c', `. scripts/debian-packages && list_sources ${release}`], {
        cwd: checkout,
      });
      const settings = join(folder, 'apt.conf');
      writeFileSync(settings, run(['bash', '-c', "apt-config dump | grep '^Acquire::'"]).output);
      const made = spawnSync(
        'mmdebstrap',
        [
          '--quiet',
          '--mode=root',
          '--variant=minbase',
          `--aptopt=${settings}`,
          '--skip=cleanup/apt',
          release,
          root,
          '-',
        ],
        { input: sources, encoding: 'utf8' },
      );
      if (made.status !== 0) throw new Error(made.stderr);
      for (const file of [settings, '/etc/resolv.conf', '/etc/hosts']) {
        if (existsSync(file))
          cpSync(file, join(root, file === settings ? 'etc/apt/apt.conf.d/99test' : file));
      }
      for (const file of [packaged, foreign, older]) cpSync(file, join(root, path(file)));
    });

    test('dpkg names what is missing, and apt fetches it', () => {
      const alone = inRoot('dpkg', '--install', path(packaged));
      expect(alone.status).not.toBe(0);
      expect(alone.output).toContain('depends on libostree-1-1 (>= 2021.3); however:');
      expect(alone.output).toContain('depends on systemd; however:');
      expect(apt('--fix-broken', 'install')).toMatchObject({ status: 0 });
      expect(inRoot('atomic', '--version').output).toContain(version);
      expect(inRoot('systemctl', 'is-enabled', 'atomic-recover').output).toBe('enabled\n');
      expect(inRoot('dpkg', '--verify', name)).toEqual({ status: 0, output: '' });
    });

    test('a removal and a purge leave nothing; a second installation is like the first', () => {
      expect(apt('purge', name)).toMatchObject({ status: 0 });
      const without = listFiles();
      expect(apt('install', path(packaged))).toMatchObject({ status: 0 });
      const first = listFiles();
      expect(inRoot('dpkg', '--install', path(packaged))).toMatchObject({ status: 0 });
      expect(listFiles()).toEqual(first);
      expect(apt('remove', name)).toMatchObject({ status: 0 });
      expect(apt('purge', name)).toMatchObject({ status: 0 });
      expect(listFiles()).toEqual(without);
    });

    test('a package of another architecture is refused', () => {
      const refused = inRoot('dpkg', '--install', path(foreign));
      expect(refused.status).not.toBe(0);
      expect(refused.output).toContain('package architecture (arm64) does not match system (amd64)');
    });

    test('the package atomic is a conflict; apt removes it first', () => {
      succeed(['chroot', root, 'dpkg', '--install', path(older)]);
      const refused = inRoot('dpkg', '--install', path(packaged));
      expect(refused.status).not.toBe(0);
      expect(refused.output).toContain(`${name} conflicts with atomic`);
      expect(inRoot('atomic').output).toBe('other\n');
      expect(apt('install', path(packaged))).toMatchObject({ status: 0 });
      expect(inRoot('atomic', '--version').output).toContain(version);
    });
  });

  test('lintian finds no error, and every override is used', () => {
    const { status, output } = run(['lintian', '--fail-on', 'error', '--tag-display-limit', '0', packaged]);
    expect({ status, unused: output.match(/^.*(?:unused|mismatched)-override.*$/gm), output }).toEqual({
      status: 0,
      unused: null,
      output,
    });
  });

  test.each([
    ['deb', [], `${name}_${version}_amd64.deb`],
    ['rpm', ['--rpm'], `${name}-${version}-1.x86_64.rpm`],
  ])('two builds of a %s in different folders are equal', (_format, options, file) => {
    const copy = join(folder, 'copy');
    const build = (tree: string): Buffer => {
      const argv = ['scripts/package', '--quick', ...options, '--output', join(folder, 'again'), 'amd64'];
      succeed(argv, { cwd: tree });
      return readFileSync(join(folder, 'again', file));
    };
    for (const part of [
      'src',
      'scripts',
      'docs',
      'packaging',
      'package.json',
      'package-lock.json',
      'CHANGELOG.md',
      'node_modules',
    ]) {
      cpSync(join(checkout, part), join(copy, part), { recursive: true, verbatimSymlinks: true });
    }
    mkdirSync(join(copy, 'dist'), { recursive: true });
    succeed(['node_modules/.bin/bun', 'scripts/build.ts'], { cwd: copy });
    succeed(['node_modules/.bin/bun', 'scripts/build.ts'], { cwd: checkout });
    expect(build(copy).equals(build(checkout))).toBe(true);
  });
});
