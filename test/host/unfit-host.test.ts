/**
 * A host without root, systemd, a program, a library or space. The error names what is missing, and everything is
 * undone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { atomic, runAtomic } from '../support/atomic.ts';
import { buildImage } from '../support/oci-image.ts';
import type { Registry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command, runCommand } from './support/commands.ts';
import { checkouts, expectRefusal, inOwnMounts } from './support/refusal.ts';
import { readEnablement } from './support/services.ts';

const libraryHint = 'hint: Install it: apt install libostree-1-1 (Debian), dnf install ostree-libs (Fedora).';
const emptyFile = '/run/atomic-test/empty';

let images: ImageSource;
let registry: Registry;
/** An installable image that is in the store. */
let service: string;
/** One that is not. */
let other: string;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  await mkdir('/run/atomic-test');
  await writeFile(emptyFile, '');
  service = await images.push('service', { exports: serviceExports });
  other = await images.push('other', { exports: { ...serviceExports, note: 'another layer' } });
  // Makes the folders of the store, locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => registry.stop());

describe('a host that is not fit', () => {
  const hide = (...paths: readonly string[]): string =>
    paths.map((path) => `mount --bind ${emptyFile} "$(readlink -f ${path})"`).join('\n');
  const pulling = (image: string): string => `Image ${image} is being pulled to ostree ...`;

  test('not root', async () => {
    const asNobody = ['setpriv', '--reuid=nobody', '--clear-groups', 'env', 'HOME=/nonexistent', 'atomic'];
    await expectRefusal([...asNobody, 'install', '--system', service], {
      stderr: [
        'error: Only root can use --system',
        'hint: Run the command with sudo.',
        "Some operations for 'install' require root access.",
      ],
    });
    await expectRefusal([...asNobody, 'uninstall', 'service'], {
      stderr: [
        'error: Only root can uninstall system containers',
        'hint: Run the command with sudo.',
        "Some operations for 'uninstall' require root access.",
      ],
    });
  });

  test('no systemd', async () => {
    const stderr = [
      'error: systemd does not run on this machine',
      'hint: System containers are services of systemd: use a machine or a container where it is process 1.',
    ];
    const withoutSystemd = (...words: readonly string[]): readonly string[] =>
      inOwnMounts('mount -t tmpfs tmpfs /run/systemd', ['atomic', ...words]);
    await expectRefusal(withoutSystemd('install', '--system', service), { stderr });
    await expectRefusal(withoutSystemd('uninstall', 'service'), { stderr });
  });

  test.each(['mount --bind /run/atomic-test/empty /usr/bin/skopeo', 'PATH=/usr/sbin'])(
    'no skopeo (%s)',
    async (script) => {
      const image = `${registry.address}/test/service:v2`;
      await expectRefusal(inOwnMounts(script, ['/usr/bin/atomic', 'pull', image]), {
        stdout: [pulling(image)],
        stderr: [
          /^error: pulling .*: starting skopeo: the program is not installed/,
          'hint: Install it: apt install skopeo (Debian), dnf install skopeo (Fedora).',
        ],
      });
    },
  );

  test('no runtime', async () => {
    const runtimes = hide('/usr/sbin/runc', '/usr/bin/crun');
    await expectRefusal(inOwnMounts(runtimes, ['atomic', 'install', '--system', service]), {
      stderr: [
        'error: Cannot install the container: the runtime /usr/bin/runc is not installed',
        'hint: Install it: apt install runc (Debian), dnf install runc (Fedora).',
      ],
    });
    await expectRefusal(['atomic', 'install', '--system', '--runtime=/usr/bin/nope', service], {
      stderr: [
        'error: Cannot install the container: the runtime /usr/bin/nope is not installed',
        'hint: Give the path of an OCI runtime, such as /usr/bin/crun.',
      ],
    });
  });

  test('no libostree', async () => {
    const library = 'libostree-1.so.1';
    const script = hide(`"$(ldconfig -p | sed -n 's/.*${library} .*=> //p' | head -n 1)"`);
    const missing = `opening the image store: cannot load ${library}: `;
    await expectRefusal(inOwnMounts(script, ['atomic', 'pull', other]), {
      stdout: [pulling(other)],
      stderr: [new RegExp(`^error: pulling ${other}: ${missing}`), libraryHint],
    });
  });

  test('no systemd-tmpfiles', async () => {
    await expectRefusal(
      inOwnMounts(hide('/usr/bin/systemd-tmpfiles'), ['atomic', 'install', '--system', service]),
      {
        stderr: [
          /^error: run systemd-tmpfiles: the program is not installed/,
          'hint: Install it: apt install systemd (Debian), dnf install systemd (Fedora).',
        ],
      },
    );
    expect(await readEnablement('service')).toBe('');
  });

  test('checkouts on another filesystem than the repository', async () => {
    await expectRefusal(
      inOwnMounts(
        `mount -t tmpfs tmpfs /mnt
        export ATOMIC_OSTREE_REPO=${checkouts}/.storage/ostree ATOMIC_OSTREE_CHECKOUT_PATH=/mnt/atomic`,
        ['atomic', 'install', '--system', service],
      ),
      {
        stdout: ['Extracting to /mnt/atomic/service.0'],
        stderr: [
          /^error: installing service: checking out \/mnt\/atomic\/\.service\.0\.new\/rootfs: it is on another filesystem than/,
          'hint: Containers are hard links into the repository: put both on one filesystem (checkout_path and ostree_repository in /etc/atomic.conf).',
        ],
      },
    );
    expect(await readEnablement('service')).toBe('');
  });
});

describe('a full disk', () => {
  const disk = '/run/atomic-test/disk';
  const small = { env: { ATOMIC_OSTREE_CHECKOUT_PATH: `${disk}/atomic` } };

  beforeAll(async () => {
    await mkdir(disk);
    await command('truncate', '--size=8M', `${disk}.img`);
    await command('mkfs.ext4', '-q', '-b', '1024', `${disk}.img`);
    await command('mount', '-o', 'loop', `${disk}.img`, disk);
  });
  afterAll(async () => {
    await command('umount', disk);
    await rm(`${disk}.img`);
  });

  test.each<[title: string, compression: 'none' | 'gzip', stderr: RegExp]>([
    [
      'that is known before',
      'none',
      /^error: pulling .*: it does not fit into .*: at least \d+ bytes are needed, \d+ are free .*\nhint: Free some space there and pull again; nothing was fetched\. .*\n$/,
    ],
    [
      'that shows when the layer is inflated',
      'gzip',
      /^error: pulling .*layer sha256:[0-9a-f]{64}: .*(?:min-free-space|No space left on device|No space left on the filesystem apart from the space that must stay free).*\nhint: Free some space on the filesystem of the image store and try again\.\n$/,
    ],
  ])('in a pull, %s: nothing of the image is there', async (_, compression, stderr) => {
    const content = Buffer.alloc(12_000_000, 'compresses well');
    const image = buildImage({ layers: [{ tar: tree`f blob 0644 ${content}`, compression }] });
    const name = await pushImage(registry, 'test/large', image);
    const run = await runAtomic(['pull', name], small);
    expect(run).toMatchObject({ stderr: expect.stringMatching(stderr), status: 1 });
    expect(await atomic(['images', 'list', '-a'], small)).toBe('');
  });

  test('in an install: everything is undone', async () => {
    const folders = Array.from({ length: 300 }, (_, index) => tree`d folder${String(index)} 0755`).flat();
    const image = await images.push('folders', { exports: serviceExports, extra: folders });
    await atomic(['pull', image], small);
    await runCommand(['dd', 'if=/dev/zero', `of=${disk}/filling`, 'bs=1k']);
    await command('truncate', '--size=-100K', `${disk}/filling`);
    const before = (await readdir(`${disk}/atomic`)).sort();
    expect(await runAtomic(['install', '--system', image], small)).toMatchObject({
      stdout: `Extracting to ${disk}/atomic/folders.0\n`,
      stderr: expect.stringMatching(
        /^error: installing folders: checking out .*: no space left on the filesystem\nhint: Free some space on the filesystem of the image store and try again\.\n$/,
      ),
      status: 1,
    });
    expect((await readdir(`${disk}/atomic`)).sort()).toEqual([...new Set([...before, '.atomic'])].sort());
    expect(await readdir(`${disk}/atomic/.atomic/journal`)).toEqual([]);
    expect(await readEnablement('folders')).toBe('');
  });

  test('before an install can begin', async () => {
    await runCommand(['dd', 'if=/dev/zero', `of=${disk}/filling2`, 'bs=1k']);
    expect(
      await runAtomic(['install', '--system', '--name=late', `${registry.address}/test/folders`], small),
    ).toMatchObject({
      stdout: '',
      stderr: `error: write ${disk}/atomic/.atomic/journal/late.json: no space left on the filesystem\nhint: Free some space and try again.\n`,
      status: 1,
    });
  });
});
