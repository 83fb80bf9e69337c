/** Secrets: the service reads them, their content is found nowhere else, and updates keep them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { configTemplate, type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { diffLooks } from './support/own-changes.ts';

const quick = ['--settle', '0.5'];
const secret = 'correct-horse-battery-staple';
const file = '/root/to ken%n';

/** Prints the checksum of its secret. The trap ends it at a stop. */
const reader = `#!/bin/sh
trap 'exit 0' TERM
sha256sum < "$CREDENTIALS_DIRECTORY/TOKEN"
ls -ln "$CREDENTIALS_DIRECTORY"
echo ready
while :; do sleep 0.1; done
`;
const program = tree`
  f bin/run.sh 0755 ${reader}
  l bin/sha256sum -> busybox
  l bin/ls -> busybox
`;

let images: ImageSource;
let plain: string;
let plainUser: string;
let own: string;
beforeAll(async () => {
  images = await openImageSource();
  const config = { Cmd: ['/bin/run.sh'], Env: ['PATH=/bin'] };
  plain = await images.push('plain', { exports: undefined, config, extra: program });
  plainUser = await images.push('plain-user', {
    ...{ exports: undefined, config: { ...config, User: '1234:4321' }, extra: program },
  });
  const template = JSON.parse(configTemplate);
  template.process.args = ['/bin/run.sh'];
  template.process.env.push('FILE=$TOKEN');
  own = await images.push('own', {
    exports: {
      ...serviceExports,
      'config.json.template': JSON.stringify(template),
      'manifest.json': JSON.stringify({
        defaultValues: { WORD: 'hello' },
        variables: { TOKEN: { secret: true, required: true, help: 'Password of the database' } },
      }),
    },
    extra: program,
  });
  await atomic(['install', '--system', '--name', 'first', plain]);
  await atomic(['uninstall', 'first']);
});
afterAll(() => images[Symbol.asyncDispose]());

function run(...argv: readonly string[]): string {
  const [name = '', ...args] = argv;
  const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  return stdout + stderr;
}

function writeSecret(content: string): void {
  writeFileSync(file, content);
  chmodSync(file, 0o600);
}

async function awaitRead(name: string, content: string): Promise<string> {
  const checksum = new Bun.CryptoHasher('sha256').update(content).digest('hex');
  for (let tries = 0; tries < 100; tries++) {
    const journal = run('journalctl', '-o', 'cat', '--no-pager');
    if (journal.includes(checksum)) return journal;
    await Bun.sleep(50);
  }
  throw new Error(`${name} has not read ${content}:\n${run('journalctl', '--no-pager', '-n', '40')}`);
}

/** Everything that a look at the host can show, except for the secret's own file and the memory of systemd's folder. */
function readTraces(): string {
  const processes = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  const ofProcesses = processes.flatMap((pid) =>
    ['cmdline', 'environ'].flatMap((name) => {
      const path = `/proc/${pid}/${name}`;
      // A process may have ended.
      return existsSync(path) ? [spawnSync('cat', [path]).stdout.toString('latin1')] : [];
    }),
  );
  const files = run(
    'grep',
    '-rlaF',
    secret,
    checkouts,
    '/etc',
    '/var/lib',
    '/run/systemd',
    '/run/log',
    '/var/log',
  );
  return [
    ...ofProcesses,
    files.includes('/') ? `${secret} is in ${files}` : '',
    run('journalctl', '--no-pager', '-o', 'export'),
    run('systemctl', 'show', 'web'),
    run('systemctl', 'cat', 'web'),
  ].join('\n');
}

describe.each(['/usr/bin/runc', '/usr/bin/crun'])('%s', (runtime) => {
  test('the service of a plain image reads its secret, also as another user', async () => {
    for (const image of [plain, plainUser]) {
      const content = `${secret} ${runtime} ${image}`;
      writeSecret(content);
      const words = ['install', '--system', '--runtime', runtime, '--name', 'web'];
      const installed = await runAtomic([...words, '--secret', `TOKEN=${file}`, image]);
      expect(installed).toMatchObject({ status: 0 });
      const said = [installed.stdout, installed.stderr];
      run('systemctl', 'start', 'web');
      await awaitRead('web', content);
      said.push(await atomic(['containers', 'inspect', '--json', 'web']));
      said.push(await atomic(['containers', 'list', '--json', '-a']));
      said.push(readTraces());
      expect(said.join('\n')).toContain('LoadCredential=TOKEN:');
      expect(said.join('\n')).not.toContain(secret);

      // The next start reads the file again; the second one as after a crash of the runtime.
      for (const next of ['changed', 'changed again']) {
        writeSecret(`${content} ${next}`);
        if (next === 'changed again') run('systemctl', 'kill', '--signal=KILL', 'web');
        run('systemctl', 'restart', 'web');
        await awaitRead('web', `${content} ${next}`);
      }
      await atomic(['uninstall', 'web']);
      expect(readdirSync('/run').filter((name) => name.startsWith('atomic-secrets'))).toEqual([]);
    }
  });
});

test('an image that declares a secret gets it, in templates as a path, and an update keeps it', async () => {
  const content = `${secret} of an own image`;
  writeSecret(content);
  const missing = await runAtomic(['install', '--system', '--name', 'web', own]);
  expect(missing).toMatchObject({ status: 2 });
  expect(missing.stderr).toContain('Cannot use the values: TOKEN is missing: --secret TOKEN=PATH\nhint: ');
  const asValue = await runAtomic(['install', '--system', '--name', 'web', '--set', `TOKEN=${secret}`, own]);
  expect(asValue).toMatchObject({ status: 2, stdout: '' });
  expect(asValue.stderr).toContain('TOKEN is a secret, which --secret TOKEN=PATH gives');
  expect(asValue.stderr).not.toContain(secret);

  await atomic(['install', '--system', '--name', 'web', '--secret', `TOKEN=${file}`, own]);
  run('systemctl', 'start', 'web');
  await awaitRead('web', content);
  expect(JSON.parse(readFileSync(`${checkouts}/web/config.json`, 'utf8')).process.env).toContain(
    'FILE=/run/credentials/TOKEN',
  );
  await atomic(['containers', 'update', ...quick, '--set', 'WORD=new', 'web']);
  expect(run('systemctl', 'cat', 'web')).toContain('LoadCredential=TOKEN:/root/to ken%%n\n');

  writeFileSync('/root/other', `${content} in another file`, { mode: 0o600 });
  const again = ['install', '--system', '--name', 'web', '--secret', 'TOKEN=/root/other', own];
  expect(await atomic(again)).toBe(
    `web is already present, with other secrets: TOKEN=${file} (asked: /root/other); use: atomic containers update web --secret TOKEN=/root/other\n`,
  );
  await atomic(['containers', 'update', ...quick, '--secret', 'TOKEN=/root/other', 'web']);
  expect(run('systemctl', 'cat', 'web')).toContain('LoadCredential=TOKEN:/root/other\n');
  await awaitRead('web', `${content} in another file`);
  const required = await runAtomic(['containers', 'update', '--unset-secret', 'TOKEN', 'web']);
  expect(required).toMatchObject({ status: 2, stderr: expect.stringContaining('TOKEN is missing') });
  await atomic(['uninstall', 'web']);
});

test('files that systemd could not load are refused, and nothing changes', async () => {
  writeFileSync('/root/large', '');
  truncateSync('/root/large', 1024 * 1024);
  writeFileSync('/root/open', secret, { mode: 0o644 });
  const before = readHostState();
  for (const [path, problem] of [
    ['/root/missing', 'there is no such file or folder'],
    ['/root', 'it is not a regular file'],
    ['/root/large', 'all secrets together are longer than 1048576 bytes'],
  ]) {
    const refused = await runAtomic(['install', '--system', '--name', 'web', '--secret', `T=${path}`, plain]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain(`error: Cannot read ${path} for --secret T: ${problem}\nhint: `);
  }
  const open = ['install', '--system', '--display', '--name', 'web', '--secret', 'T=/root/open', plain];
  expect((await runAtomic(open)).stderr).toContain(
    'Warning: /root/open of --secret T can be read by every user',
  );
  expect(diffLooks(before, readHostState())).toEqual([]);

  // The largest that systemd loads, which counts the name.
  truncateSync('/root/large', 1024 * 1024 - 'TOKEN'.length);
  await atomic(['install', '--system', '--name', 'web', '--secret', 'TOKEN=/root/large', plain]);
  run('systemctl', 'start', 'web');
  await awaitRead('web', readFileSync('/root/large', 'utf8'));

  await atomic(['uninstall', 'web']);
});
