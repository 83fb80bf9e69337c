/** Values from the command line to the configuration: which are refused, and what a second install says. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { withoutAsks } from './support/asks.ts';
import { diffLooks } from './support/own-changes.ts';

const quick = ['--settle', '0.2'];

let images: ImageSource;
let service: string;
beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  // Makes the folders of locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
});
afterAll(() => images[Symbol.asyncDispose]());

const install = (...args: readonly string[]) => ['install', '--system', '--name', 'web', ...args, service];
const readEnvironment = () =>
  JSON.parse(readFileSync(`${checkouts}/web/config.json`, 'utf8')).process.env.join(' ');

describe('a variable that the image does not use', () => {
  test('is refused by install, and nothing changes', async () => {
    const before = readHostState();
    const run = await runAtomic(install('--set', 'WROD=x', '--set', 'PORT=1'));
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toBe(
      [
        'error: Cannot set WROD and PORT: the image uses no variable of these names',
        'hint: Did you mean WORD? Its variable is WORD. --set-any NAME=VALUE accepts any name.',
        '',
      ].join('\n'),
    );
    expect(diffLooks(before, readHostState())).toEqual([]);
  });

  test('is refused by update, and nothing changes', async () => {
    await atomic(install());
    const before = readHostState();
    const run = await runAtomic(['containers', 'update', ...quick, '--set', 'WROD=x', 'web']);
    expect(run).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean WORD?') });
    expect(diffLooks(before, readHostState())).toEqual([]);
    await atomic(['uninstall', 'web']);
  });

  test('goes on with --set-any, and an update keeps it', async () => {
    const run = await runAtomic(install('--set-any', 'WROD=x'));
    expect(run).toMatchObject({ status: 0 });
    expect(withoutAsks(run.stderr)).toBe('');
    await atomic(['containers', 'update', ...quick, '--set', 'WORD=new', 'web']);
    expect(JSON.parse(readFileSync(`${checkouts}/web/info`, 'utf8')).values).toMatchObject({
      ...{ WROD: 'x', WORD: 'new' },
    });
    await atomic(['uninstall', 'web']);
  });

  test('is known when only a file for the host or a rename uses it', async () => {
    const image = await images.push('only-files', {
      exports: {
        'manifest.json': JSON.stringify({
          noContainerService: true,
          renameFiles: { '/opt/values/old': '/opt/values/$TITLE' },
          installedFilesTemplate: ['/opt/values/text'],
        }),
      },
      extra: tree`
        d exports/hostfs 0755
        d exports/hostfs/opt 0755
        d exports/hostfs/opt/values 0755
        f exports/hostfs/opt/values/old 0644 old
        f exports/hostfs/opt/values/text 0644 ${'text of $AUTHOR\n'}
      `,
    });
    const words = ['install', '--system', '--name', 'files', '--set', 'TITLE=new', '--set'];
    const wrong = await runAtomic([...words, 'AUTOR=me', image]);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean AUTHOR?') });
    await atomic([...words, 'AUTHOR=me', image]);
    expect(readFileSync('/opt/values/text', 'utf8')).toBe('text of me\n');
    await atomic(['uninstall', 'files']);
  });
});

describe('values that the manifest describes', () => {
  const manifest = {
    variables: {
      WORD: { choices: ['hello', 'bye'], default: 'hello', help: 'What it says' },
      PORT: { type: 'port', required: true },
    },
    defaultvalues: {},
  };
  const misspelt =
    'Warning: manifest.json of the image: defaultvalues is unknown and has no effect; did you mean defaultValues?\n';

  test('are checked by install and by update, all at once, and shown by images info', async () => {
    const exports = { ...serviceExports, 'manifest.json': JSON.stringify(manifest) };
    const image = await images.push('described', { exports });
    await atomic(['pull', image]);
    const before = readHostState();
    const words = ['install', '--system', '--name', 'web'];
    const wrong = await runAtomic([...words, '--set', 'WORD=hi', '--set', 'PORT=http', image]);
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toBe(
      `error: Cannot use the values: WORD=hi is not one of hello, bye; PORT=http is not a port, which is a number from 1 to 65535\nhint: \`atomic images info ${image}\` describes the variables.\n`,
    );
    expect((await runAtomic([...words, image])).stderr).toContain('PORT is missing: --set PORT=VALUE\n');
    expect(diffLooks(before, readHostState())).toEqual([]);

    const info = await runAtomic(['images', 'info', image]);
    expect(info.stdout).toContain(
      'The image says about its variables and secrets:\nPORT: port, required\nWORD: string, one of hello, bye. What it says\n',
    );
    expect(info.stderr).toBe(misspelt);
    await atomic(['images', 'info', '--json', image]);

    const installed = await runAtomic([...words, '--set', 'PORT=80', image]);
    expect(installed).toMatchObject({ status: 0, stderr: expect.stringContaining(misspelt) });
    expect(readEnvironment()).toBe('PATH=/bin WORD=hello');
    const update = await runAtomic(['containers', 'update', ...quick, '--set', 'PORT=0', 'web']);
    expect(update).toMatchObject({ status: 2, stderr: expect.stringContaining('PORT=0 is not a port') });
    await atomic(['uninstall', 'web']);
  });
});

test('--set-file reads the value, without the last line break', async () => {
  writeFileSync('/tmp/word', 'first\\nsecond =$X\n');
  await atomic(install('--set-file', 'WORD=/tmp/word'));
  expect(readEnvironment()).toBe('PATH=/bin WORD=first\nsecond =$X');
  await atomic(['uninstall', 'web']);
});

test('--set-file refuses what cannot be a value', async () => {
  writeFileSync('/tmp/nul', 'a\0b');
  writeFileSync('/tmp/latin1', Buffer.from([0x61, 0xe4, 0x62]));
  writeFileSync('/tmp/large', '');
  truncateSync('/tmp/large', 1024 * 1024 + 1);
  spawnSync('mkfifo', ['/tmp/fifo']);
  const before = readHostState();
  for (const [path, problem] of [
    ['/tmp/missing', 'there is no such file or folder'],
    ['/tmp', 'it is not a regular file'],
    ['/tmp/fifo', 'it is not a regular file'],
    ['/dev/zero', 'it is not a regular file'],
    ['/tmp/nul', 'it contains a NUL character'],
    ['/tmp/latin1', 'it is not UTF-8 text'],
    ['/tmp/large', 'it is longer than 1048576 bytes'],
  ]) {
    const run = await runAtomic(install('--set-file', `WORD=${path}`));
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toContain(`error: Cannot read ${path} for --set-file: ${problem}\nhint: `);
  }
  expect(diffLooks(before, readHostState())).toEqual([]);
});

describe('an install of a container that exists', () => {
  test('names what it asks for and the container does not have', async () => {
    await atomic(install('--set', 'WORD=one'));
    const before = readHostState();
    expect(await atomic(install('--set', 'WORD=one'))).toBe('web already present\n');
    expect(await atomic(install('--set', 'WORD=two'))).toBe(
      'web is already present, with other values: WORD=one (asked: two); use: atomic containers update web --set WORD=two\n',
    );
    expect(JSON.parse(await atomic(install('--json', '--set', 'WORD=two')))).toEqual({
      ...{
        schemaVersion: 1,
        outcome: 'already-present',
        name: 'web',
        changed: false,
        plan: null,
        started: false,
      },
      differences: [{ kind: 'value', name: 'WORD', installed: 'one', asked: 'two' }],
    });
    const other = service.replace('service', 'other');
    expect(await atomic(['install', '--system', '--name', 'web', other])).toContain(
      `with another image: ${service} (asked: ${other}); use: atomic containers update web --rebase ${other}\n`,
    );
    expect(diffLooks(before, readHostState())).toEqual([]);
    await atomic(['uninstall', 'web']);
  });
});
