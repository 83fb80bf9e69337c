/**
 * The modules atomic_image and atomic_container of Ansible's community.general. Where they are installed (Debian's package
 * `ansible`, or another folder in ATOMIC_TEST_ANSIBLE) they themselves run; else what they do is done here in the same words.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';

const packages = process.env.ATOMIC_TEST_ANSIBLE ?? '/usr/lib/python3/dist-packages';
const modules = 'ansible_collections.community.general.plugins.modules';

interface Answer {
  readonly changed: boolean;
  readonly msg: string;
  readonly failed?: boolean;
}
type Call = (parameters: Readonly<Record<string, unknown>>) => Promise<Answer>;

let images: ImageSource;
let agent: string;
beforeAll(async () => {
  images = await openImageSource();
  agent = await images.push('agent', { exports: serviceExports });
});
afterAll(() => images.registry.stop());

function callModule(name: string): Call {
  return async (parameters) => {
    writeFileSync('/tmp/arguments', JSON.stringify({ ANSIBLE_MODULE_ARGS: parameters }));
    try {
      return JSON.parse(
        execFileSync('python3', ['-m', `${modules}.${name}`, '/tmp/arguments'], {
          encoding: 'utf8',
          env: { ...process.env, PYTHONPATH: packages },
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      );
    } catch (error) {
      if (error instanceof Error && 'stdout' in error) return JSON.parse(String(error.stdout));
      throw error;
    }
  };
}

const hasChanged = (text: string): boolean => text.includes('Extracting') || text.includes('Copying blob');

/** As atomic_image does with a backend; it looks at no exit status. */
const imitateImage: Call = async ({ name }) => {
  const { stdout } = await runAtomic(['pull', '--storage=ostree', String(name)]);
  return { msg: stdout, changed: hasChanged(stdout) };
};

const imitateContainer: Call = async ({ name, image, state }) => {
  const filters = ['-f', 'backend=ostree', '-f', `container=${name}`];
  const { stdout: list } = await runAtomic(['containers', 'list', '--no-trunc', '-n', '--all', ...filters]);
  const isPresent = list.includes(String(name));
  if ((state === 'absent') !== isPresent) return { msg: list, changed: false };
  const run =
    state === 'absent'
      ? await runAtomic(['uninstall', '--storage=ostree', String(name)])
      : await runAtomic([
          ...['install', '--storage=ostree', `--name=${name}`, '--system', '--set=WORD=hello'],
          String(image),
        ]);
  if (run.status !== 0) return { msg: run.stderr, changed: false, failed: true };
  return { msg: run.stdout, changed: state === 'absent' || hasChanged(run.stdout) };
};

const callers: [string, Call, Call][] = [['the same words', imitateImage, imitateContainer]];
if (existsSync(`${packages}/${modules.replaceAll('.', '/')}/atomic_image.py`)) {
  callers.push(['the modules themselves', callModule('atomic_image'), callModule('atomic_container')]);
}

describe.each(callers)('%s', (_, image, container) => {
  afterAll(async () => {
    await atomic(['images', 'delete', '-f', agent]);
    await atomic(['images', 'prune']);
  });

  const pull = () => image({ name: agent, backend: 'ostree', state: 'latest', started: false });
  const ensure = (state: string) =>
    container({
      name: 'node',
      image: agent,
      backend: 'ostree',
      mode: 'system',
      state,
      values: ['WORD=hello'],
    });

  test('an image is changed when a layer was fetched, and not when it is there', async () => {
    expect(await pull()).toMatchObject({ changed: true });
    expect(await pull()).toMatchObject({ changed: false });
  });

  test('a container is installed once and removed once', async () => {
    expect(await ensure('present')).toMatchObject({ changed: true });
    expect(await ensure('present')).toMatchObject({ changed: false });
    expect(await ensure('absent')).toMatchObject({ changed: true });
    expect(await ensure('absent')).toMatchObject({ changed: false });
  });

  test('a container that cannot be installed is a failure with its reason', async () => {
    const answer = await container({
      ...{ name: 'node', image: `${agent}-missing`, backend: 'ostree', mode: 'system', state: 'present' },
      values: [],
    });
    expect(answer).toMatchObject({ failed: true, msg: expect.stringContaining('error: ') });
  });
});
