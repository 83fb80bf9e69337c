/**
 * Invalid command lines, and images that cannot be fetched: one line with the object and the reason, a hint, the
 * status, and no change.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { atomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { runCommand } from './support/commands.ts';
import { expectRefusal, type Line } from './support/refusal.ts';

const nameHint =
  'hint: Write NAME, NAME:TAG, REGISTRY[:PORT]/NAME[:TAG] or NAME@sha256:HEX, for example registry.example.com/team/etcd:3.4.';
const notFoundHint =
  'hint: Check the name and the tag; `skopeo list-tags docker://NAME` lists the tags of a repository.';
const unreachableHint =
  'hint: Check that the registry is running and can be reached, then pull again; complete layers are kept.';
const installName = 'hint: Choose a name with --name NAME.';

let images: ImageSource;
let registry: Registry;
let closed: Registry;
/** An installable image that is in the store. */
let service: string;

beforeAll(async () => {
  images = await openImageSource();
  registry = images.registry;
  closed = await startRegistry({ credentials: { username: 'anna', password: 'right' } });
  await writeHostContainersConfig({ insecure: [registry.address, closed.address, '127.0.0.1:1'] });
  service = await images.push('service', { exports: serviceExports });
  // Makes the folders of the store, locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => Promise.all([closed.stop(), registry.stop()]));

describe('an invalid command line', () => {
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

  test('an unknown container', async () => {
    await expectRefusal(['atomic', 'uninstall', 'nobody'], {
      stderr: [
        "error: System container 'nobody' is not installed",
        'hint: No system container is installed.',
      ],
    });
  });
});

describe('images that cannot be fetched', () => {
  test.each<[string, () => string, Line, Line]>([
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
      /^hint: It has the tags latest; `skopeo list-tags docker:\/\/127\.0\.0\.1:\d+\/test\/service` shows them\.$/,
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
      /^error: pulling registry\.invalid\/test\/service: .*looking up the host registry\.invalid: .*network is unreachable$/,
      'hint: No name server can be reached: check the network of this machine, and /etc/resolv.conf.',
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
    await expectRefusal(['atomic', 'pull', '--retry=0', image()], { stdout, stderr: [error, hint] });
    await expectRefusal(['atomic', 'install', '--system', '--name=x', '--retry=0', image()], {
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
        /^hint: 127\.0\.0\.1:\d+ refused the credentials of --creds: check the user, the password and the user's rights there\.$/,
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
