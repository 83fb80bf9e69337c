/**
 * Wrong input of every kind, on the real command line: one clear line that says what and where, a hint, the status,
 * and nothing changed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { atomic, runAtomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type Fault, type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { type BuiltImage, buildImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { buildTar } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';
import {
  configTemplate,
  type ImageSource,
  openImageSource,
  serviceExports,
  serviceTemplate,
} from './container-images.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { checkouts, expectRefusal, inOwnMounts, type Line } from './support/refusal.ts';
import { readEnablement } from './support/services.ts';

const nameHint =
  'hint: Write NAME, NAME:TAG, REGISTRY[:PORT]/NAME[:TAG] or NAME@sha256:HEX, for example registry.example.com/team/etcd:3.4.';
const notFoundHint =
  'hint: Check the name and the tag; `skopeo list-tags docker://NAME` shows the tags of a repository.';
const unreachableHint =
  'hint: Check that the registry is running and can be reached, then pull again; complete layers are kept.';
const changedHint =
  'hint: The registry or something before it changed the data. Nothing of this layer was stored.';
const configHint =
  'hint: It comes from config.json or config.json.template in /exports of the image, and the --set values.';
const manifestHint = 'hint: Correct /exports/manifest.json and build the image again.';
const installName = 'hint: Choose a name with --name NAME.';
const libraryHint =
  'hint: Install it: apt install libostree-1-1 libarchive13 (Debian), dnf install ostree-libs libarchive (Fedora).';
const emptyFile = '/run/atomic-test/empty';

let images: ImageSource;
let registry: Registry;
let faulty: FaultyRegistry;
let closed: Registry;
/** An installable image that is in the store. */
let service: string;
/** One layer of half a megabyte, not in the store. */
let big: BuiltImage;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  faulty = await startFaultyRegistry(registry);
  closed = await startRegistry({ credentials: { username: 'anna', password: 'right' } });
  await writeHostContainersConfig({
    insecure: [registry.address, faulty.address, closed.address, '127.0.0.1:1'],
  });
  service = await images.push('service', { exports: serviceExports });
  big = buildImage({ layers: [tree`f blob 0644 ${randomBytes(400_000).toString('base64')}`] });
  await pushImage(registry, 'test/big', big);
  await mkdir('/run/atomic-test');
  await writeFile(emptyFile, '');
  // Makes the folders of the store, locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => Promise.all([faulty.stop(), closed.stop(), registry.stop()]));

describe('images that cannot be had', () => {
  test.each<[string, () => string, Line, string]>([
    [
      'an unknown image',
      () => `${registry.address}/test/nope`,
      /^error: pulling 127\.0\.0\.1:\d+\/test\/nope: .*manifest unknown$/,
      notFoundHint,
    ],
    [
      'an unknown tag',
      () => `${registry.address}/test/service:v9`,
      /^error: pulling 127\.0\.0\.1:\d+\/test\/service:v9: .*manifest unknown$/,
      notFoundHint,
    ],
    [
      'an unknown digest',
      () => `${registry.address}/test/service@sha256:${'0'.repeat(64)}`,
      /^error: pulling 127\.0\.0\.1:\d+\/test\/service@sha256:0{64}: .*manifest unknown$/,
      notFoundHint,
    ],
    [
      'an unknown registry',
      () => 'registry.invalid/test/service',
      /^error: pulling registry\.invalid\/test\/service: .*lookup registry\.invalid/,
      unreachableHint,
    ],
    [
      'a registry that does not run',
      () => '127.0.0.1:1/test/service',
      /^error: pulling 127\.0\.0\.1:1\/test\/service: .*connection refused$/,
      unreachableHint,
    ],
    [
      'a registry that asks for a password',
      () => `${closed.address}/test/service`,
      /^error: pulling 127\.0\.0\.1:\d+\/test\/service: .*authentication required$/,
      'hint: Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.',
    ],
  ])('%s, in pull and in install', async (_, image, error, hint) => {
    const stdout = [`Image ${image()} is being pulled to ostree ...`];
    await expectRefusal(['atomic', 'pull', image()], { stdout, stderr: [error, hint] });
    await expectRefusal(['atomic', 'install', '--system', '--name=x', image()], {
      stdout,
      stderr: [error, hint],
    });
  });

  test('wrong credentials, which no message repeats', async () => {
    const image = `${closed.address}/test/service`;
    await expectRefusal(['atomic', 'pull', '--creds', 'anna:wrong', image], {
      stdout: [`Image ${image} is being pulled to ostree ...`],
      stderr: [
        /^error: pulling 127\.0\.0\.1:\d+\/test\/service: (?!.*wrong).*authentication required$/,
        'hint: Give --creds USER:PASSWORD, or log in with `skopeo login REGISTRY`.',
      ],
    });
  });

  test.each([
    ['upper case', 'Test/service', 'the name must be in lower case'],
    ['a blank', 'test/a service', 'the name is not valid'],
    ['nothing', '', 'the name is not valid'],
  ])('a name with %s', async (_, image, problem) => {
    await expectRefusal(['atomic', 'pull', image], {
      status: 2,
      stderr: [`error: reading the image name "${image}": ${problem}`, nameHint],
    });
  });

  test('with --json the error is one document, the last line', async () => {
    const image = `${registry.address}/test/nope`;
    const { stdout, stderr, status } = await runCommand(['atomic', 'pull', '--json', image]);
    const [progress, document = '', ...rest] = stderr.split('\n');
    expect({ stdout, progress, rest, status, document: JSON.parse(document) }).toEqual({
      stdout: '',
      progress: `Image ${image} is being pulled to ostree ...`,
      rest: [''],
      status: 1,
      document: {
        schemaVersion: 1,
        error: {
          code: 'IMAGE_NOT_FOUND',
          message: expect.stringMatching(/^pulling .*manifest unknown$/),
          hint: notFoundHint.replace('hint: ', ''),
          details: {},
        },
      },
    });
  });
});

describe('layers that do not arrive as they are', () => {
  /** Whatever the fault is, the error names the image and the layer. */
  async function expectBadLayer(image: string, digest: string, error: RegExp, hint: Line): Promise<void> {
    await expectRefusal(['atomic', 'pull', image], {
      stdout: [
        `Image ${image} is being pulled to ostree ...`,
        `Pulling layer ${digest.replace('sha256:', '')}`,
      ],
      stderr: [new RegExp(`^error: pulling ${image}: layer ${digest}: ${error.source}$`), hint],
    });
  }

  test.each<[string, Fault, RegExp, Line]>([
    ['a lost connection', { kind: 'cut', afterBytes: 100_000 }, /.*unexpected EOF/, unreachableHint],
    [
      'an error of the registry',
      { kind: 'answer', status: 500 },
      /.*500 \(Internal Server Error\)/,
      'hint: The registry has a problem of its own: look at its log, then pull again.',
    ],
    [
      'other bytes than the digest says',
      { kind: 'change', body: () => gzipSync(Buffer.alloc(2048)) },
      /corrupted blob, expecting sha256:[0-9a-f]{64}/,
      changedHint,
    ],
    [
      'fewer bytes than the digest says',
      { kind: 'change', body: (honest) => honest.subarray(0, 100_000) },
      /corrupted blob, expecting sha256:[0-9a-f]{64}/,
      changedHint,
    ],
  ])('%s', async (_, fault, error, hint) => {
    const digest = big.layers[0]?.digest ?? '';
    faulty.setRules([{ path: `/blobs/${digest}`, fault }]);
    await expectBadLayer(`${faulty.address}/test/big`, digest, error, hint);
  });

  test('a registry that ends in the middle of a layer', async () => {
    const digest = big.layers[0]?.digest ?? '';
    const dying = await startFaultyRegistry(registry);
    const never = new Promise<void>(() => {});
    const fault: Fault = {
      kind: 'hold',
      afterBytes: 100_000,
      until: never,
      reached: () => void dying.stop(),
    };
    dying.setRules([{ path: `/blobs/${digest}`, fault }]);
    await writeHostContainersConfig({ insecure: [registry.address, faulty.address, dying.address] });
    await expectBadLayer(
      `${dying.address}/test/big`,
      digest,
      /.*(?:unexpected EOF|connection re.*)/,
      unreachableHint,
    );
  });

  test.each<[string, Buffer, RegExp]>([
    [
      'a truncated gzip stream',
      gzipSync(buildTar(tree`f x 0644 ${randomBytes(50_000)}`)).subarray(0, 20_000),
      /inflating: unexpected end of file/,
    ],
    ['garbage', Buffer.alloc(1000, 'garbage'), /inflating: incorrect header check/],
    [
      'an archive that is none',
      gzipSync('hello\n'.repeat(500)),
      /reading the layer's archive: no tar header at byte 0/,
    ],
  ])('%s, under an honest digest', async (_, data, error) => {
    const image = buildImage({ layers: [{ tar: [], data }] });
    const name = await pushImage(registry, 'test/damaged', image);
    await expectBadLayer(
      name,
      image.layers[0]?.digest ?? '',
      error,
      /^hint: .*[Bb]uild and push the image again/,
    );
  });

  test('after all of that the image can be pulled', async () => {
    faulty.setRules([]);
    await atomic(['pull', `${faulty.address}/test/big`]);
  });
});

describe('images that cannot be installed', () => {
  const deployment = (name: string): string => `${checkouts}/${name}.0`;

  test.each<[string, string, Record<string, string>, (config: string) => string, string]>([
    [
      'unset',
      'a variable without a value',
      { 'config.json.template': configTemplate.replace('$WORD', '$WORD $MISSING ${ALSO}') },
      () =>
        `The template file '${deployment('unset')}/rootfs/exports/config.json.template' still contains an unreplaced value for: ''MISSING''`,
      'hint: Give it a value: atomic install --set MISSING=VALUE --set ALSO=VALUE ...',
    ],
    [
      'dollar',
      'a dollar sign that starts no variable',
      { 'service.template': `${serviceTemplate}# costs 5$\n` },
      () =>
        `The template file '${deployment('dollar')}/rootfs/exports/service.template' cannot be used: Invalid placeholder in string: line 12, col 10`,
      'hint: In a template a dollar sign is written as $$; a variable is $NAME or ${NAME}.',
    ],
    [
      'manifest-text',
      'a manifest.json that is not JSON',
      { 'manifest.json': '{"defaultValues": {"WORD": hello}}' },
      () =>
        `Invalid manifest.json file in image: ${registry.address}/test/manifest-text:latest. line 1, column 28: unexpected 'h'`,
      manifestHint,
    ],
    [
      'manifest-shape',
      'a manifest.json of the wrong shape',
      { 'manifest.json': '{"defaultValues": ["WORD"]}' },
      () =>
        `Invalid manifest.json file in image: ${registry.address}/test/manifest-shape:latest. defaultValues must be an object`,
      manifestHint,
    ],
    [
      'config-text',
      'a config.json that is not JSON',
      { 'config.json.template': '{"root": {"path": "rootfs", "readonly": true},}' },
      (config) => `Invalid json in configuration file: ${config}. line 1, column 47: unexpected '}'`,
      configHint,
    ],
    [
      'config-shape',
      'a config.json of the wrong shape',
      { 'config.json.template': '{"root": "rootfs", "process": {"args": ["sh"]}}' },
      (config) => `Invalid configuration file.  root must be an object (${config})`,
      configHint,
    ],
    [
      'no-command',
      'a config.json without a command',
      { 'config.json.template': '{"root": {"path": "rootfs", "readonly": true}}' },
      (config) => `Invalid configuration file.  process.args must name the command to run (${config})`,
      configHint,
    ],
    [
      'writable',
      'a root that is not read-only',
      { 'config.json.template': configTemplate.replace('"readonly":true', '"readonly":false') },
      (config) =>
        `Invalid configuration file.  Only readonly images are supported: root.readonly must be true (${config})`,
      configHint,
    ],
    [
      'other-root',
      'another root',
      { 'config.json.template': configTemplate.replace('"path":"rootfs"', '"path":"/"') },
      (config) => `Invalid configuration file.  Path must be 'rootfs': root.path is '/' (${config})`,
      configHint,
    ],
  ])('%s: %s', async (name, _, files, error, hint) => {
    const image = await images.push(name, { exports: { ...serviceExports, ...files } });
    await atomic(['pull', image]);
    const stderr = [`error: ${error(`${deployment(name)}/config.json`)}`, hint];
    await expectRefusal(['atomic', 'install', '--system', image], { stderr });
    await expectRefusal(['atomic', 'install', '--system', '--display', image], { stderr });
  });

  test.each([
    ['no-unit', 'multi-user.target', 'no-unit', '"no-unit" is not a valid unit name.'],
    ['no-section', '[Service]', '[Service', 'File no-section.service: Bad message'],
  ])('a unit that systemctl cannot enable (%s): everything is undone', async (name, from, to, reason) => {
    const template = serviceTemplate.replace(from, to);
    const image = await images.push(name, { exports: { ...serviceExports, 'service.template': template } });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stdout: [`Extracting to ${deployment(name)}`],
      stderr: [
        `error: installing ${name}: systemctl --no-reload enable ${name}: exit status 1: Failed to enable unit: ${reason}`,
        'hint: It comes from service.template in /exports of the image, and the --set values.',
      ],
    });
    expect(await readEnablement(name)).toBe('');
    expect(await runCommand(['systemctl', 'cat', name])).toMatchObject({ status: 1 });
  });

  test('a unit that systemd refuses although systemctl enables it: everything is undone', async () => {
    const image = await images.push('not-loaded', {
      exports: { ...serviceExports, 'service.template': serviceTemplate.replace('ExecStart=', 'ExecStrat=') },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      stdout: [
        `Extracting to ${deployment('not-loaded')}`,
        'systemctl daemon-reload',
        'systemd-tmpfiles --create /etc/tmpfiles.d/not-loaded.conf',
        'systemctl enable not-loaded',
      ],
      stderr: [
        /^error: installing not-loaded: load not-loaded\.service: .*\.service:6: Unknown key 'ExecStrat'.*Service has no ExecStart=.*Refusing\..*$/,
        'hint: It comes from service.template in /exports of the image, and the --set values.',
      ],
    });
    expect(await readEnablement('not-loaded')).toBe('');
  });

  test('a tmpfiles.d file that systemd-tmpfiles refuses: everything is undone, with its status', async () => {
    const image = await images.push('bad-tmpfiles', {
      exports: { ...serviceExports, 'tmpfiles.template': 'd run/$NAME 0755 - - -\n' },
    });
    await atomic(['pull', image]);
    await expectRefusal(['atomic', 'install', '--system', image], {
      status: 65,
      stdout: [
        `Extracting to ${deployment('bad-tmpfiles')}`,
        'systemctl daemon-reload',
        'systemd-tmpfiles --create /etc/tmpfiles.d/bad-tmpfiles.conf',
      ],
      stderr: [
        "error: installing bad-tmpfiles: systemd-tmpfiles --create /etc/tmpfiles.d/bad-tmpfiles.conf: exit status 65: /etc/tmpfiles.d/bad-tmpfiles.conf:2: Path 'run/bad-tmpfiles' not absolute.",
        'hint: It comes from tmpfiles.template in /exports of the image, and the --set values.',
      ],
    });
    expect(await readEnablement('bad-tmpfiles')).toBe('');
  });

  test.each(['/etc/systemd/system/service.service', '/etc/tmpfiles.d/service.conf'])(
    '%s exists already',
    async (path) => {
      await writeFile(path, '# mine\n');
      try {
        await expectRefusal(['atomic', 'install', '--system', service], {
          stderr: [
            `error: The file ${path} already exists.`,
            'hint: Remove it, or choose another name with --name NAME.',
          ],
        });
      } finally {
        await rm(path);
      }
    },
  );
});

describe('words that cannot be meant', () => {
  const characters = "only letters, digits, '_', '-' and '.' are allowed in it";

  test.each<[string, string, string, string]>([
    ['a slash', 'a/b', 'a/b', characters],
    ['the folder above', '..', '..', "it must not start with '.'"],
    ['a newline', 'a\nExecStart=sh', 'a ExecStart=sh', characters],
    ['a dash first', '-x', '-x', "it must not start with '-'"],
    ['nothing', '', '', 'it is empty'],
    ['300 characters', 'x'.repeat(300), `${'x'.repeat(77)}...`, 'it is longer than 200 characters'],
  ])('a name with %s', async (_, name, shown, problem) => {
    const error = `error: Invalid container name '${shown}': ${problem}`;
    await expectRefusal(['atomic', 'install', '--system', `--name=${name}`, service], {
      status: 2,
      stderr: [error, installName],
    });
    await expectRefusal(['atomic', 'uninstall', '--', name], {
      status: 2,
      stderr: [error, 'hint: `atomic containers list -a` shows the names.'],
    });
  });

  test.each<[string, readonly string[], readonly string[]]>([
    [
      '--set without =',
      ['install', '--system', '--set', 'WORD', 'x'],
      [
        "error: Invalid value 'WORD'.  Expected form NAME=VALUE",
        'hint: To set an empty value write --set WORD= .',
      ],
    ],
    [
      '--set of what atomic decides',
      ['install', '--system', '--set', 'NAME=y', 'x'],
      [
        'error: Cannot set NAME: atomic decides its value',
        'hint: Use --name NAME to choose the name of the container.',
      ],
    ],
    [
      'credentials without a password',
      ['pull', '--creds', 'anna', 'x'],
      [
        'error: Invalid value of --creds: the form is USER:PASSWORD',
        'hint: To be asked for the password, run "skopeo login REGISTRY" and leave --creds out.',
      ],
    ],
    [
      'another storage',
      ['install', '--storage=docker', '--system', 'x'],
      [
        "error: The storage backend 'docker' is not available.  Try with an alternate storage with --storage if available.",
        "hint: 'ostree' is the only storage: write --storage=ostree, or leave it out.",
      ],
    ],
    [
      'an unknown verb',
      ['instal', 'x'],
      [
        "error: Unknown verb 'instal'",
        "hint: Did you mean 'atomic install'?",
        "Try 'atomic --help' for more information.",
      ],
    ],
    [
      'an unknown option',
      ['install', '--sytem', 'x'],
      [
        "error: Unknown option '--sytem'",
        "hint: Did you mean '--system'?",
        "Try 'atomic install --help' for more information.",
      ],
    ],
    [
      'no image',
      ['install', '--system'],
      ['error: Too few arguments: IMAGE is missing', "Try 'atomic install --help' for more information."],
    ],
  ])('%s', async (_, words, stderr) => {
    await expectRefusal(['atomic', ...words], { status: 2, stderr });
  });

  test('a container that is not there', async () => {
    await expectRefusal(['atomic', 'uninstall', 'nobody'], {
      stderr: [
        "error: System container 'nobody' is not installed",
        'hint: No system container is installed.',
      ],
    });
  });
});

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

  test.each(['libostree-1.so.1', 'libarchive.so.13'])('no %s', async (library) => {
    const script = hide(`"$(ldconfig -p | sed -n 's/.*${library} .*=> //p' | head -n 1)"`);
    const missing = `opening the image store: cannot load ${library}: `;
    const image = `${registry.address}/test/big`;
    await expectRefusal(inOwnMounts(script, ['atomic', 'pull', image]), {
      stdout: [pulling(image)],
      stderr: [new RegExp(`^error: pulling ${image}: ${missing}`), libraryHint],
    });
    await expectRefusal(inOwnMounts(script, ['atomic', 'install', '--system', service]), {
      stdout: [`Extracting to ${checkouts}/service.0`],
      stderr: [new RegExp(`^error: installing service: ${missing}`), libraryHint],
    });
  });

  test('no systemd-tmpfiles: everything is undone', async () => {
    await expectRefusal(
      inOwnMounts(hide('/usr/bin/systemd-tmpfiles'), ['atomic', 'install', '--system', service]),
      {
        stdout: [
          `Extracting to ${checkouts}/service.0`,
          'systemctl daemon-reload',
          'systemd-tmpfiles --create /etc/tmpfiles.d/service.conf',
        ],
        stderr: [
          /^error: installing service: run systemd-tmpfiles: the program is not installed/,
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
          /^error: installing service: checking out \/mnt\/atomic\/\.service\.0\.new\/rootfs: Unable to do hardlink checkout across devices/,
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

  test('in a pull: nothing of the image is there', async () => {
    const content = randomBytes(12_000_000);
    const image = buildImage({ layers: [{ tar: tree`f blob 0644 ${content}`, compression: 'none' }] });
    const name = await pushImage(registry, 'test/large', image);
    const run = await runAtomic(['pull', name], small);
    expect(run).toMatchObject({
      stderr: expect.stringMatching(
        /^error: pulling .*layer sha256:[0-9a-f]{64}: .*(?:min-free-space|No space left on device).*\nhint: Free some space on the filesystem of the image store and try again\.\n$/,
      ),
      status: 1,
    });
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
        /^error: installing folders: checking out .*: .*No space left on device\nhint: Free some space on the filesystem of the image store and try again\.\n$/,
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
      stderr: `error: lock ${disk}/atomic/.atomic/locks/late: no space left on the filesystem\nhint: Free some space and try again.\n`,
      status: 1,
    });
  });
});

describe('twice the same', () => {
  test('two installs of one name: the second waits, says so, and finds it there', async () => {
    const image = buildImage({
      layers: [tree`f run.sh 0755 \\#!\n`, tree`f late 0644 late`],
      config: { Cmd: ['/run.sh'] },
    });
    await pushImage(registry, 'test/slow', image);
    const reached = Promise.withResolvers<void>();
    const until = Promise.withResolvers<void>();
    const fault: Fault = { kind: 'hold', afterBytes: 10, until: until.promise, reached: reached.resolve };
    faulty.setRules([{ path: `/blobs/${image.layers[1]?.digest}`, fault }]);
    await writeHostContainersConfig({ insecure: [registry.address, faulty.address] });
    const name = `${faulty.address}/test/slow`;

    const first = runAtomic(['install', '--system', name]);
    await reached.promise;
    const waiting = '/run/atomic-test/waiting';
    const second = runCommand(['sh', '-c', `atomic install --system ${name} 2>${waiting}`]);
    await waitUntil('the second install waits', async () => (await command('cat', waiting)) !== '');
    until.resolve();

    expect(await first).toMatchObject({ status: 0 });
    expect(await second).toMatchObject({ stdout: 'slow already present\n', status: 0 });
    expect(await command('cat', waiting)).toMatch(
      /^Waiting for slow, held by process \d+: atomic install slow\n$/,
    );
    await atomic(['uninstall', 'slow']);
  });
});
