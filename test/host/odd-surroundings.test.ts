/** Surroundings of the program that are not as usual: folders for temporary files, the working directory, /proc. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { atomic } from '../support/atomic.ts';
import type { Registry } from '../support/registry.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand } from './support/commands.ts';
import { expectRefusal, inOwnMounts } from './support/refusal.ts';

let images: ImageSource;
let registry: Registry;
/** An installable image that is in the store. */
let service: string;
/** What `everything` prints where nothing is odd. */
let usual: string;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  service = await images.push('service', { exports: serviceExports });
  await atomic(['pull', service]);
  usual = await command('sh', '-ec', everything(service));
});
afterAll(() => registry.stop());

/** Everything that loads native code or starts a program. */
const everything = (image: string): string => `
  atomic pull ${image}
  atomic install --system ${image}
  atomic images verify
  atomic uninstall service
  atomic images list`;

test.each([
  ['mounted noexec', 'mount -t tmpfs -o noexec tmpfs /tmp'],
  ['full', 'mount -t tmpfs -o size=4k tmpfs /tmp; ! cat /dev/zero >/tmp/filling 2>/dev/null'],
  ['not writable', 'mount -t tmpfs -o ro tmpfs /tmp'],
  ['missing', 'export TMPDIR=/nope'],
  ['a file', 'export TMPDIR=/etc/passwd'],
])('the folder for temporary files is %s: nothing needs it', async (_, script) => {
  expect(await command(...inOwnMounts(script, ['sh', '-ec', everything(service)]))).toBe(usual);
});

describe('a working directory that was deleted', () => {
  const fromDeleted = (...argv: readonly string[]): readonly string[] => [
    ...['sh', '-ec', 'mkdir /var/deleted; cd /var/deleted; rmdir /var/deleted; exec "$@"', 'sh'],
    ...argv,
  ];

  test('is not needed', async () => {
    expect(await command(...fromDeleted('atomic', '--version'))).toBe(await atomic(['--version']));
    expect(await command(...fromDeleted('sh', '-ec', everything(service)))).toBe(usual);
  });

  const relative = (path: string): string =>
    `finding ${path}: a relative path begins at the working directory, which was deleted`;

  test.each([
    [['mount', 'IMAGE', 'srv'], '', relative('srv')],
    [['unmount', 'srv'], '', relative('srv')],
    // There is such a file below /, where the program works then.
    [['pull', 'dockertar:etc/passwd'], 'pulling dockertar:etc/passwd: ', relative('etc/passwd')],
    [['images', 'export', 'IMAGE', 'oci:srv'], 'exporting IMAGE: ', relative('srv')],
    [['pull', '--authfile=etc/passwd', 'IMAGE'], '', relative('etc/passwd')],
    [['pull', '--cert-dir=etc', 'IMAGE'], '', relative('etc')],
    [['install', '--system', '--runtime=usr/bin/crun', 'IMAGE'], '', relative('usr/bin/crun')],
  ])('%j: a relative path is refused', async (words, step, reason) => {
    const named = (word: string): string => word.replace('IMAGE', service);
    await expectRefusal(fromDeleted('atomic', ...words.map(named)), {
      status: 2,
      stderr: [
        `error: ${named(step)}${reason}`,
        'hint: Write an absolute path, or change to another directory first: cd /',
      ],
    });
  });

  test('a relative location of the store is refused, an absolute one is not', async () => {
    const listing = (path: string): readonly string[] =>
      fromDeleted('env', `ATOMIC_OSTREE_REPO=${path}`, 'atomic', 'images', 'list');
    expect((await runCommand(listing('repo'))).stderr).toStartWith(`error: ${relative('repo')}\n`);
    expect(await command(...listing('/var/lib/repo'))).toBe('');
    expect(existsSync('/repo')).toBe(false);
  });

  test("a word that may be a registry's name is one", async () => {
    const { stderr } = await runCommand(fromDeleted('atomic', 'pull', `oci:${registry.address}/test/nope`));
    expect(stderr).toMatch(/^Warning: There is no folder .*\nerror: .*manifest unknown\n/);
  });
});
