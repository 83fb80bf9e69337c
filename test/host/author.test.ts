/** The way of an author: templates, the lint, an image in a file, and replaced containers. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { tree } from '../support/tree.ts';
import { buildTestImage, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await createTemporaryFolder('author');
});
afterAll(() => folder[Symbol.asyncDispose]());

async function writeImage(exports: Readonly<Record<string, string>>, name: string): Promise<string> {
  return writeLayout(folder.join(name), buildTestImage({ exports }));
}

/** Name -> text. */
function readExports(source: string): Readonly<Record<string, string>> {
  const files = readdirSync(`${source}/exports`);
  return Object.fromEntries(files.map((file) => [file, readFileSync(`${source}/exports/${file}`, 'utf8')]));
}

async function isActive(name: string): Promise<boolean> {
  return (await runCommand(['systemctl', 'is-active', '--quiet', name])).status === 0;
}

async function lint(subject: string, ...options: readonly string[]) {
  const { stdout, status } = await runAtomic(['lint', '--json', ...options, subject]);
  const { findings } = JSON.parse(stdout) as { findings: { level: string; rule: string; file: string }[] };
  return { status, found: findings.map(({ level, file, rule }) => `${level} ${file} ${rule}`) };
}

/** What the host of the author has, and another one may not have. */
const ownFiles = ['/etc/hostname', '/etc/hosts', '/etc/localtime', '/usr/bin/tini-static'];
afterEach(() => {
  for (const path of ownFiles) if (existsSync(`${path}.away`)) renameSync(`${path}.away`, path);
});

test.each(['runc', 'crun'])(
  'the templates of init have no fault, and run on any host with %s',
  async (runtime) => {
    const name = `begun-${runtime}`;
    const source = folder.join(name);
    await atomic(['init', source]);
    expect(await lint(source)).toEqual({ status: 0, found: [] });
    const exports = readExports(source);
    const names = ['config.json.template', 'manifest.json', 'service.template', 'tmpfiles.template'];
    expect(Object.keys(exports).sort()).toEqual(names);
    const image = await writeImage(exports, `${name}-image`);
    for (const path of ownFiles.filter((path) => existsSync(path))) renameSync(path, `${path}.away`);
    await atomic(['install', '--system', '--runtime', `/usr/bin/${runtime}`, '--name', name, image]);
    await command('systemctl', 'start', name);
    await Bun.sleep(500);
    expect(await isActive(name)).toBe(true);
    expect(statSync(`/var/lib/${name}`).isDirectory()).toBe(true);
    await atomic(['uninstall', name]);
  },
);

test('init has the command of an image, and replaces no file', async () => {
  const image = buildTestImage({
    exports: undefined,
    config: { Env: ['PATH=/sbin'], Cmd: ['/bin/run.sh', 'costs $5'], StopSignal: 'INT' },
  });
  await atomic(['pull', await writeLayout(folder.join('plain'), image), '--as', 'plain:1']);
  const source = folder.join('from');
  await atomic(['init', '--from', 'plain:1', source]);
  expect(await atomic(['render', source, 'config.json'])).toContain('"costs $5"');
  expect(await atomic(['render', '-n', 'web', source, 'service'])).toContain('KillSignal=SIGINT');
  const before = readFileSync(`${source}/exports/manifest.json`, 'utf8');
  rmSync(`${source}/exports/service.template`);
  const again = await runAtomic(['init', source]);
  expect(again).toMatchObject({ status: 1, stdout: '' });
  expect(again.stderr).toContain('config.json.template exists, and nothing was written');
  expect(existsSync(`${source}/exports/service.template`)).toBe(false);
  expect(readFileSync(`${source}/exports/manifest.json`, 'utf8')).toBe(before);
});

test('the templates of an image with data begin with a copy of it', async () => {
  const odd = 'a 100% b';
  const files = tree`
    d ${odd} 0755
    f ${`${odd}/seed`} 0644  and odd
    d var/lib 0755
    d var/lib/db 0700 @26:27
    f var/lib/db/seed 0640 @26:27 of the image
  `;
  const script = `trap 'exit 0' TERM
/bin/busybox cat /var/lib/db/seed '/${odd}/seed' >/var/lib/new/found
while :; do sleep 0.1; done`;
  const config = {
    Cmd: ['/bin/sh', '-c', script],
    Volumes: { '/var/lib/new': {}, '/var/lib/db': {}, [`/${odd}`]: {} },
  };
  const plain = buildTestImage({ exports: undefined, config, extra: files });
  await atomic(['pull', await writeLayout(folder.join('data'), plain), '--as', 'data:1']);
  const source = folder.join('data-source');
  await atomic(['init', '--from', 'data:1', source]);
  const built = buildTestImage({ exports: readExports(source), config, extra: files });
  const image = await writeLayout(folder.join('data-built'), built);
  await atomic(['install', '--system', '--name', 'data', image]);
  const volumes = '/var/lib/data/volumes';
  const { uid, gid, mode } = statSync(`${volumes}/var/lib/db`);
  expect({ uid, gid, mode: mode & 0o7777 }).toEqual({ uid: 26, gid: 27, mode: 0o700 });
  await command('systemctl', 'start', 'data');
  const found = `${volumes}/var/lib/new/found`;
  await waitUntil(
    'the service has read its data',
    async () => readFileSync(found, 'utf8') === 'of the image and odd',
  );
  writeFileSync(`${volumes}/var/lib/db/seed`, 'changed');
  await command('systemd-tmpfiles', '--create', '/etc/tmpfiles.d/data.conf');
  expect(readFileSync(`${volumes}/var/lib/db/seed`, 'utf8')).toBe('changed');
  await atomic(['uninstall', 'data']);
});

test('render shows the templates, and install --display=FILE what this host makes of them', async () => {
  const image = await writeImage(serviceExports, 'shown');
  await atomic(['pull', image, '--as', 'shown:1']);
  mkdirSync('/etc/atomic/shown.d', { recursive: true });
  writeFileSync('/etc/atomic/shown.d/10.json', '{"process":{"cwd":"/bin"}}');
  const planned = ['install', '--system', '--name', 'shown', '--env', 'B=1'];
  const config = JSON.parse(await atomic([...planned, '--display=config.json', 'shown:1']));
  expect(config.process).toMatchObject({ cwd: '/bin', env: expect.arrayContaining(['B=1']) });
  expect(JSON.parse(await atomic(['render', '-n', 'shown', 'shown:1', 'config.json'])).process.cwd).toBe('/');
  expect(await atomic([...planned, '--display=service', 'shown:1'])).toContain(
    '\nDescription=shown says hello\n',
  );
  const wrong = await runAtomic([...planned, '--display=unit', 'shown:1']);
  expect(wrong).toMatchObject({
    stdout: '',
    stderr: expect.stringMatching(/^hint: The files are config\.json, tmpfiles, service/m),
    status: 2,
  });
  expect(existsSync('/etc/systemd/system/shown.service')).toBe(false);
  rmSync('/etc/atomic', { recursive: true });
});

test('the preview of a plain image has the seccomp filter of the host, as its install', async () => {
  const image = buildTestImage({ exports: undefined, config: { Cmd: ['/bin/run.sh'] } });
  await atomic(['pull', await writeLayout(folder.join('filtered'), image), '--as', 'filtered:1']);
  const rendered = JSON.parse(await atomic(['render', '-n', 'filtered', 'filtered:1', 'config.json']));
  const planned = ['install', '--system', '--name', 'filtered', '--display=config.json', 'filtered:1'];
  expect(rendered).toEqual(JSON.parse(await atomic(planned)));
  expect(rendered.linux).toHaveProperty('seccomp');
  expect((await runAtomic(['lint', 'filtered:1'])).stdout).not.toContain('no seccomp filter');
  const info = ['images', 'info', 'filtered:1'];
  expect(await atomic(info)).not.toContain('no seccomp filter');

  const profile = '/etc/containers/seccomp.json';
  mkdirSync('/etc/containers', { recursive: true });
  writeFileSync(profile, '{}');
  const reason = `Cannot use the seccomp profile ${profile}`;
  expect(await atomic(info)).toContain(reason);
  expect((await lint('filtered:1')).found).toContain('error config.json bad-config');
  expect((await runAtomic(planned)).stderr).toContain(reason);
  rmSync(profile);
});

test('the lint of a plain image has the warnings of its install', async () => {
  const extra = tree`
    f usr/lib/tmpfiles.d/app.conf 0644 d /run/app 0755 - - -\n
    f usr/lib/systemd/system/app.service 0644 [Service]\nExecStartPre=/bin/prepare it\nExecStart=/bin/run.sh\n
    l etc/systemd/system/multi-user.target.wants/app.service -> /usr/lib/systemd/system/app.service
  `;
  const image = buildTestImage({ exports: undefined, config: { Cmd: ['/bin/run.sh'] }, extra });
  await atomic(['pull', await writeLayout(folder.join('expecting'), image), '--as', 'expecting:1']);
  const { findings } = JSON.parse(await atomic(['lint', '--json', 'expecting:1'])) as {
    findings: { rule: string; text: string }[];
  };
  const texts = findings.filter(({ rule }) => rule === 'install-warning').map(({ text }) => text);
  const { stderr } = await runAtomic(['install', '--system', '--name', 'expecting', 'expecting:1']);
  expect(texts).toEqual([
    expect.stringMatching(/^The image has run\.sh, and an Entrypoint or Cmd/),
    expect.stringMatching(/^The image does not have \/run\/app, which its packages expect/),
    expect.stringMatching(/^app\.service of the image prepares the service.*: \/bin\/prepare it\./),
  ]);
  for (const text of texts) expect(stderr).toContain(text);
  await atomic(['uninstall', 'expecting']);
});

test('an install refuses what the lint finds, and --no-lint lets it pass', async () => {
  const config = JSON.parse(serviceExports['config.json.template'] ?? '');
  const broken = {
    ...serviceExports,
    'config.json.template': JSON.stringify({
      ...config,
      process: { ...config.process, args: ['/bin/none'] },
    }),
    'service.template': '[Service]\nExecStart=$EXEC_START\nExecStartPre=/opt/none\n',
  };
  const image = await writeImage(broken, 'broken');
  const name = 'broken';
  await atomic(['pull', image, '--as', 'broken:1']);
  expect(await lint('broken:1')).toEqual({
    status: 1,
    found: [
      'error config.json.template command-not-found',
      'error service.template program-not-found',
      'error service.template no-bundle-folder',
      'warning service.template no-install-section',
    ],
  });
  const refused = await runAtomic(['install', '--system', '--name', name, 'broken:1']);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("'/bin/none' is not in the image");
  expect(existsSync(`${checkouts}/${name}`)).toBe(false);
  const passed = await runAtomic(['install', '--system', '--no-lint', '--name', name, 'broken:1']);
  expect(passed.status).toBe(0);
  expect(passed.stderr).toContain("'/bin/none' is not in the image");
  await atomic(['uninstall', name]);
});

test('an install looks for a mount of each volume when the image brings no unit, as the lint always does', async () => {
  const files = Object.entries(serviceExports);
  const withoutUnit = Object.fromEntries(files.filter(([file]) => file !== 'service.template'));
  for (const [name, exports, isReported] of [
    ['own-unit', serviceExports, false],
    ['default-unit', withoutUnit, true],
  ] as const) {
    const image = buildTestImage({ exports, config: { Volumes: { '/data': {} } } });
    await atomic(['pull', await writeLayout(folder.join(name), image), '--as', `${name}:1`]);
    expect((await lint(`${name}:1`)).found).toContain('warning config.json.template volume-without-mount');
    const { stderr, status } = await runAtomic(['install', '--system', '--name', name, `${name}:1`]);
    expect([status, stderr.includes('has no mount at /data')]).toEqual([0, isReported]);
    await atomic(['uninstall', name]);
  }
});

test('a file is read again at each install, and --replace keeps the values and the data', async () => {
  const name = 'built';
  const install = (image: string, ...options: readonly string[]) =>
    runAtomic(['install', '--system', '--name', name, ...options, image]);
  const image = await writeImage(serviceExports, name);
  expect((await install(image, '--replace', '--set', 'WORD=mine')).status).toBe(0);
  await command('systemctl', 'start', name);
  const first = readFileSync(`${checkouts}/${name}/info`, 'utf8');
  expect((await install(image, '--replace')).stdout).toEndWith(`${name} already present\n`);

  await writeImage({ ...serviceExports, extra: 'next' }, name);
  expect((await install(image)).stdout).toContain('already present');
  expect(readFileSync(`${checkouts}/${name}/info`, 'utf8')).toBe(first);
  const replaced = await install(image, '--replace');
  expect(replaced.stdout).toContain(`Replaced ${name} with `);
  expect(existsSync(`${checkouts}/${name}/rootfs/exports/extra`)).toBe(true);
  const { values } = JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8'));
  expect(values.WORD).toBe('mine');
  expect(await isActive(name)).toBe(true);
  await atomic(['uninstall', name]);

  await writeImage({ ...serviceExports, extra: 'third' }, name);
  await install(image);
  expect(readFileSync(`${checkouts}/${name}/rootfs/exports/extra`, 'utf8')).toBe('third');
  const other = await install(image, '--replace', '--runtime', '/usr/bin/crun');
  expect(other).toMatchObject({ status: 2 });
  await atomic(['uninstall', name]);
});

test('a folder that cannot be read has one line, and no symlink leads out of it', async () => {
  const odd = folder.join('odd/exports');
  mkdirSync(odd, { recursive: true });
  symlinkSync('/etc/shadow', `${odd}/config.json`);
  expect((await runAtomic(['render', odd])).stderr).toContain('is a symlink that leads out of');
  expect(await lint(odd)).toEqual({ status: 1, found: ['error /exports bad-exports'] });
  rmSync(`${odd}/config.json`);
  await command('mkfifo', `${odd}/service.template`);
  expect(await lint(odd)).toEqual({ status: 1, found: ['error /exports bad-exports'] });
  rmSync(`${odd}/service.template`);
  writeFileSync(`${odd}/config.json.template`, Buffer.alloc(4 * 1024 * 1024 + 1, 'a'));
  expect(await lint(odd)).toEqual({ status: 1, found: ['error /exports bad-exports'] });

  for (const [subject, reason] of [
    ['/etc/hostname', 'it is not a folder'],
    [folder.join('none'), 'there is no such folder'],
    [folder.path, 'has no folder exports, and none of its files'],
  ] as const) {
    const run = await runAtomic(['lint', subject]);
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toContain(reason);
  }
});
