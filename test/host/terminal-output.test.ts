/** What a person sees on a terminal of 80 columns, and a script in a pipe. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { command } from './support/commands.ts';
import { runOnTerminal } from './support/terminal.ts';

const long = 'registry.example.com:5000/platform/team/etcd:2026-11-30-nightly-build-of-the-main-branch';
const container = 'kubernetes-controller-manager';

let images: ImageSource;
let image: string;
beforeAll(async () => {
  images = await openImageSource();
  image = await images.push('service', { exports: serviceExports });
  await atomic(['install', '--name', 'etcd', '--start', image]);
  await atomic(['images', 'tag', image, long]);
  await atomic(['install', '--name', container, long]);
});
afterAll(() => images[Symbol.asyncDispose]());

/** Runs a command on a terminal, with standard error on the same. */
async function see(line: string, columns = 80, terminal = 'xterm'): Promise<string> {
  const run = runOnTerminal(`stty cols ${columns}; unset COLUMNS NO_COLOR; ${line}`, terminal);
  await run.ended;
  return run.written().replaceAll('\r\n', '\n');
}

const listLong = (text: string, columns: number) =>
  text
    .replace(/\u001b\[\d*m/g, '')
    .split('\n')
    .filter((line) => line.length > columns);

describe('a list', () => {
  test.each(['images list', 'containers list -a', 'containers check', 'containers update --all --display'])(
    'fits the terminal: %s',
    async (words) => {
      for (const columns of [72, 80, 100]) {
        const text = await see(`atomic ${words} | cat >/run/piped; atomic ${words}`, columns);
        expect(listLong(text.replace(/^[\s\S]*SUMMARY/, ''), columns)).toEqual([]);
      }
      expect(await see(`atomic ${words}`)).toContain('...');
    },
  );

  test('is whole in a pipe, with --no-trunc, as JSON and as ids', async () => {
    const piped = await atomic(['images', 'list']);
    expect(piped).toContain(
      'registry.example.com:5000/platform/team/etcd   2026-11-30-nightly-build-of-the-main-branch',
    );
    for (const words of ['images list --no-trunc', 'images list --json', 'containers list -a --no-trunc']) {
      expect(await see(`atomic ${words}`)).not.toMatch(/[a-z]\.\.\.[a-z]/);
      expect(await see(`atomic ${words}`)).toContain('2026-11-30-nightly-build-of-the-main-branch');
    }
    expect(await see('atomic containers list -aq')).toBe(`etcd\n${container}\n`);
  });

  test('takes its width from COLUMNS when that is set', async () => {
    expect(await see('COLUMNS=300 atomic images list')).toContain(
      '2026-11-30-nightly-build-of-the-main-branch',
    );
    expect(await see('COLUMNS=wide atomic images list')).toContain('...');
  });

  test('says on a terminal how many stopped containers it leaves out', async () => {
    const remark = 'Not shown: 1 stopped container (atomic containers list -a)\n';
    expect(await see('atomic containers list')).toEndWith(remark);
    expect(await see('atomic containers list 2>/dev/null')).not.toContain('Not shown');
    for (const words of ['-a', '-q', '--json', '-f container=etcd']) {
      expect(await see(`atomic containers list ${words}`)).not.toContain('Not shown');
    }
    expect((await runAtomic(['containers', 'list'])).stderr).toBe('');
  });
});

describe('a message', () => {
  test('that is longer than a line is broken at its blanks, on a terminal only', async () => {
    const long = `atomic images info ${'some-image-with-a-long-name'.repeat(3)}`;
    const lines = (await see(long)).split('\n');
    expect(lines[0]).toStartWith('error: Cannot find image');
    expect((await see(`${long} 2>&1 | cat`)).split('\n')).toHaveLength(3);
    const asks = await see(`atomic images info ${image}`);
    expect(asks).toMatch(/^unconfined: .*\n {2}\S/m);
    expect(await atomic(['images', 'info', image])).not.toMatch(/^ {2}/m);
  });
});

describe('colour', () => {
  const green = '\u001b[32mrunning\u001b[0m';

  test('marks states on a terminal', async () => {
    expect(await see('atomic containers list -a')).toContain(green);
    await command('systemctl', 'kill', '--signal=KILL', 'etcd');
    expect(await see('atomic containers list -a')).toContain('\u001b[31mfailed\u001b[0m');
    await command('systemctl', 'restart', 'etcd');
  });

  test.each([
    { what: 'a pipe', line: 'atomic containers list -a | cat' },
    { what: 'JSON', line: 'atomic containers list -a --json' },
    { what: 'NO_COLOR', line: 'NO_COLOR=0 atomic containers list -a' },
    { what: 'a dumb terminal', line: 'TERM=dumb atomic containers list -a' },
  ])('is not in $what', async ({ line }) => {
    const text = await see(line);
    expect(text).toContain('running');
    expect(text).not.toContain('\u001b');
  });

  test('is there with an empty NO_COLOR', async () => {
    expect(await see('NO_COLOR= atomic containers list -a')).toContain(green);
  });
});

describe('help', () => {
  const pages = fileURLToPath(new URL('../../dist/help-pages', import.meta.url));
  beforeAll(async () => {
    await command('env', 'SOURCE_DATE_EPOCH=0', process.execPath, 'scripts/build-pages.ts', pages);
    mkdirSync('/usr/local/share/man', { recursive: true });
    cpSync(pages, '/usr/local/share/man', { recursive: true });
    rmSync(pages, { recursive: true });
  });

  test('of a verb is its manual page where there is one', async () => {
    const read = async (words: string) =>
      (await see(`MANPAGER=cat atomic help ${words}`)).replace(/.\u0008|\u001b\[\d*m/g, '');
    expect(await read('images list')).toMatch(/^ATOMIC-IMAGES-LIST\(1\)[\s\S]*SYNOPSIS/);
    expect(await read('')).toStartWith('ATOMIC(1)');
    expect(await read('exit-status')).toStartWith('ATOMIC-EXIT-STATUS(7)');
  });

  test('is text in a pipe, for --help, and without man', async () => {
    for (const line of [
      'atomic help images list | cat',
      'atomic images list --help',
      'PATH=/usr/bin:/bin MANPATH=/none atomic help images list',
      'ln -s /bin/true /run/man; PATH=/run:$PATH atomic help images list',
      'atomic help images',
    ]) {
      expect(await see(line)).toStartWith('Usage: atomic images');
    }
  });
});
