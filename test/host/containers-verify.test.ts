/** What differs between a container and its deployment is named and repaired; the work of an administrator stays. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { tree } from '../support/tree.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { runKilled } from './killed-runs.ts';
import { command } from './support/commands.ts';
import { readActivity, readEnablement, readInvocation } from './support/services.ts';

const unit = '/etc/systemd/system/web.service';
const tmpfiles = '/etc/tmpfiles.d/web.conf';
const config = `${checkouts}/web.0/config.json`;
const hostFile = '/usr/local/lib/drift/web';
const data = `${checkouts}/web.0/rootfs/etc/data`;

let images: ImageSource;
beforeAll(async () => {
  images = await openImageSource();
  const manifest = JSON.stringify({
    version: '1.0',
    defaultValues: { WORD: 'hello' },
    renameFiles: { '/usr/local/lib/drift/NAME': '/usr/local/lib/drift/$NAME' },
  });
  const image = await images.push('service', {
    exports: { ...serviceExports, 'manifest.json': manifest },
    extra: tree`
      f etc/data 0644 as it was built
      f exports/hostfs/usr/local/lib/drift/NAME 0644 for the host
    `,
  });
  for (const name of ['web', 'other']) await atomic(['install', '--system', '--name', name, image]);
  await command('systemctl', 'start', 'web');
});
afterAll(() => images[Symbol.asyncDispose]());
afterEach(async () => {
  for (const path of [unit, tmpfiles, config]) rmSync(`${path}.atomic-old`, { force: true });
  await runAtomic(['containers', 'verify', '--repair', 'web']);
  expect(await findDifferences()).toEqual([]);
});

interface Difference {
  readonly part: string;
  readonly path: string;
  readonly state: string;
  readonly tolerated: boolean;
}

async function findDifferences(name = 'web'): Promise<readonly string[]> {
  const { stdout } = await runAtomic(['containers', 'verify', '--json', name]);
  const [found] = JSON.parse(stdout).containers;
  return found.differences.map(
    ({ part, path, state, tolerated }: Difference) =>
      `${part} ${state} ${path}${tolerated ? ' (tolerated)' : ''}`,
  );
}

test('containers in order, as a person and as a program see them', async () => {
  expect(await atomic(['containers', 'verify'])).toBe('2 containers: all in order.\n');
  expect(await atomic(['containers', 'check-drift', 'web'])).toBe('The container is in order.\n');
  expect(JSON.parse(await atomic(['containers', 'verify', '--json', 'web']))).toEqual({
    schemaVersion: 1,
    containers: [{ name: 'web', in_order: true, differences: [] }],
  });
  expect(await failingAtomic(2, ['containers', 'verify', '--all', 'web'])).toContain('--all');
  expect(await failingAtomic(1, ['containers', 'verify', 'wbe'])).toContain('Installed are: other, web');
});

test('each missing file is found and brought back; the service runs on', async () => {
  const invocation = await readInvocation('web');
  for (const path of [unit, tmpfiles, config, hostFile, data]) unlinkSync(path);
  unlinkSync('/etc/systemd/system/multi-user.target.wants/web.service');
  const found = await runAtomic(['containers', 'verify']);
  expect(found.status).toBe(1);
  expect(found.stdout.split('\n')).toEqual([
    '   CONTAINER  PART       STATE    PATH',
    `   web        unit       missing  ${unit}`,
    `   web        tmpfiles   missing  ${tmpfiles}`,
    `   web        host file  missing  ${hostFile}`,
    '   web        config     missing  web.0/config.json',
    '   web        file       missing  web.0/rootfs/etc/data',
    '2 containers: 1 with differences.',
    'To repair: atomic containers verify --repair web',
    '',
  ]);
  expect(await atomic(['containers', 'list', '-a'])).toMatch(/^ +web .* running +\S+ +no unit$/m);

  const repaired = await atomic(['containers', 'verify', '--repair', '--all']);
  expect(repaired).toContain(`   web        unit       missing  ${unit}\n`);
  expect(repaired).toEndWith(
    '2 containers: all in order.\nServices use the repaired files after: atomic restart web\n',
  );
  expect(await findDifferences()).toEqual([]);
  expect(await readEnablement('web')).toBe('enabled');
  expect([await readActivity('web'), await readInvocation('web')]).toEqual(['active', invocation]);
  await command('systemctl', 'restart', 'web');
  expect(await atomic(['containers', 'verify', '--repair', '--all'])).toBe('2 containers: all in order.\n');
});

test('an edited file is replaced only by name, and kept', async () => {
  for (const path of [unit, tmpfiles]) appendFileSync(path, '# mine\n');
  writeFileSync(config, readFileSync(config, 'utf8').replace('WORD=', 'WORD=my-'));
  const mine = [unit, tmpfiles, config].map((path) => readFileSync(path, 'utf8'));
  const names = [`unit edited ${unit}`, `tmpfiles edited ${tmpfiles}`, `config edited ${config}`];
  expect(await findDifferences()).toEqual(names);
  expect(await atomic(['containers', 'list', '-a', '-q', '-f', 'unit=edited'])).toBe('web\n');

  const all = await runAtomic(['containers', 'verify', '--repair', '--all']);
  expect(all.status).toBe(1);
  expect(all.stdout).toContain('To replace edited files too: atomic containers verify --repair web\n');
  expect([unit, tmpfiles, config].map((path) => readFileSync(path, 'utf8'))).toEqual(mine);

  // What a person has kept before is not lost.
  writeFileSync(`${tmpfiles}.atomic-old`, 'of last year');
  const taken = await runAtomic(['containers', 'verify', '--repair', 'web']);
  expect(taken.status).toBe(1);
  expect(taken.stdout).toContain(`the edited file would be kept as ${tmpfiles}.atomic-old, which exists\n`);
  expect(await findDifferences()).toEqual(names);
  rmSync(`${tmpfiles}.atomic-old`);

  const named = await atomic(['containers', 'verify', '--repair', 'web']);
  for (const [index, path] of [unit, tmpfiles, config].entries()) {
    expect(readFileSync(`${path}.atomic-old`, 'utf8')).toBe(mine[index] ?? '');
    expect(named).toContain(`The edited file is kept as ${path}.atomic-old\n`);
  }
  expect(await findDifferences()).toEqual([]);
});

test('what an administrator may do is shown, and stays', async () => {
  await Bun.write(`${unit}.d/limits.conf`, '[Service]\nMemoryMax=1G\n');
  await command('systemctl', 'disable', 'web');
  writeFileSync(hostFile, 'tuned');
  writeFileSync(`${checkouts}/web.0/rootfs/etc/more`, 'more');
  const expected = [
    `drop-in added ${unit}.d/limits.conf (tolerated)`,
    'service disabled web.service (tolerated)',
    `host file edited ${hostFile} (tolerated)`,
    `file added ${checkouts}/web.0/rootfs/etc/more (tolerated)`,
  ];
  expect(await findDifferences()).toEqual(expected);
  expect(await atomic(['containers', 'list', '-a'])).toMatch(/^ +web .* running +\S+ +disabled$/m);
  expect(await atomic(['containers', 'verify', '--repair', 'web'])).toContain('The container is in order.\n');
  expect(await findDifferences()).toEqual(expected);
  expect(readFileSync(hostFile, 'utf8')).toBe('tuned');

  renameSync(unit, '/root/web.service');
  symlinkSync('/dev/null', unit);
  expect(await findDifferences()).toContain(`unit masked ${unit} (tolerated)`);
  expect(await atomic(['containers', 'list', '-a'])).toMatch(/^ +web .*masked$/m);
  await atomic(['containers', 'verify', '--repair', 'web']);
  expect(await command('readlink', unit)).toBe('/dev/null\n');
  renameSync('/root/web.service', unit);

  rmSync(`${unit}.d`, { recursive: true });
  rmSync(`${checkouts}/web.0/rootfs/etc/more`);
  rmSync(hostFile);
  await command('systemctl', 'enable', 'web');
});

test('a unit of another owner in the place of the unit is not touched', async () => {
  writeFileSync(unit, '[Service]\nExecStart=/bin/true\n');
  expect(await findDifferences()).toEqual([`unit replaced ${unit}`]);
  const run = await runAtomic(['containers', 'verify', '--repair', 'web']);
  expect(run.status).toBe(1);
  expect(readFileSync(unit, 'utf8')).toBe('[Service]\nExecStart=/bin/true\n');
  unlinkSync(unit);
});

test('a changed file of the root filesystem is a hard link again', async () => {
  rmSync(data);
  writeFileSync(data, 'changed');
  expect(await findDifferences()).toEqual([`file changed ${data}`]);
  mkdirSync('/tmp/shown');
  await atomic(['mount', 'web', '/tmp/shown']);
  const repaired = JSON.parse(await atomic(['containers', 'verify', '--repair', '--all', '--json']));
  expect(readFileSync(data, 'utf8')).toBe('as it was built');
  const [other, web] = repaired.containers;
  expect([other.stale_mounts, web.stale_mounts]).toEqual([[], [{ name: 'web.0', directory: '/tmp/shown' }]]);
  expect(web.repaired).toMatchObject([{ part: 'file', path: data, state: 'changed', deployment: 0 }]);
  await atomic(['umount', '/tmp/shown']);
  // The damage is in the object, too: it is not linked again, and the command that helps is named.
  writeFileSync(data, 'through the link');
  expect(await atomic(['containers', 'verify'])).toBe('2 containers: all in order.\n');
  await atomic(['images', 'verify', '--repair']);
});

test('without its symlink, a container with one deployment gets it back', async () => {
  unlinkSync(`${checkouts}/web`);
  expect(await findDifferences()).toEqual([`symlink missing ${checkouts}/web`]);
  await atomic(['containers', 'verify', '--repair', 'web']);
  expect(await findDifferences()).toEqual([]);
});

test('without info, nothing is repaired', async () => {
  const info = `${checkouts}/other.0/info`;
  const text = readFileSync(info, 'utf8');
  writeFileSync(info, '');
  const run = await runAtomic(['containers', 'verify', '--repair', 'other']);
  expect(run.status).toBe(1);
  expect(await findDifferences('other')).toEqual([`info unreadable ${info}`]);
  writeFileSync(info, text);
  expect(await findDifferences('other')).toEqual([]);
  // A folder of another program hides no container.
  mkdirSync(`${checkouts}/odd.0`);
  const odd = await runAtomic(['containers', 'verify']);
  expect(odd.stdout).toContain(`odd: ${checkouts}/odd: there is no deployment\n3 containers: 1 with`);
  rmdirSync(`${checkouts}/odd.0`);
});

test('a deployment of an earlier version has no copy of its configuration', async () => {
  const own = `${checkouts}/other.0/config.json`;
  const text = readFileSync(own, 'utf8');
  unlinkSync(`${own}.orig`);
  writeFileSync(own, `${text}\n`);
  expect(await findDifferences('other')).toEqual([]);
  unlinkSync(own);
  const run = await runAtomic(['containers', 'verify', 'other']);
  expect(run.stdout).toMatch(/^ +other +container +missing +other\.0\/config\.json$/m);
  expect(run.stdout).toContain(
    'there is no copy of it: restore it from a backup, or uninstall other and install it again\n',
  );
  expect(run.stdout).not.toContain('To repair');
  for (const path of [own, `${own}.orig`]) writeFileSync(path, text);
});

test('a unit without a container is named, and so is a journal that cannot be read', async () => {
  const journal = `${checkouts}/.atomic/journal/other.json`;
  writeFileSync(journal, '{');
  writeFileSync(
    '/etc/systemd/system/gone.service',
    readFileSync(unit, 'utf8').replace('for web ', 'for gone '),
  );
  for (const options of [[], ['--repair']]) {
    const run = await runAtomic(['containers', 'verify', ...options]);
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/^other: read .*other\.json: .*$/m);
    expect(run.stdout).toMatch(/^ +gone +container +missing +\/etc\/systemd\/system\/gone\.service$/m);
    expect(run.stdout).toContain('or atomic uninstall gone\n');
  }
  unlinkSync(journal);
  await atomic(['uninstall', 'gone']);
  expect(await atomic(['containers', 'verify'])).toBe('2 containers: all in order.\n');
});

const kills: [call: string, path: string][] = [
  ['rename', '/etc/systemd/system/.web.service.new'],
  ['rename', '/etc/tmpfiles.d/.web.conf.new'],
  ['unlink', `${checkouts}/.atomic/journal/web.json`],
];

test.each(kills)('a repair that is killed at %s of %s is finished by recover', async (call, path) => {
  for (const lost of [unit, tmpfiles]) unlinkSync(lost);
  runKilled(['containers', 'verify', '--repair', 'web'], call, path);
  expect(await findDifferences()).toEqual(['operation interrupted web']);
  expect(await atomic(['recover'])).toContain('web');
  expect(await findDifferences()).toEqual([]);
  expect(existsSync(`${checkouts}/.atomic/journal/web.json`)).toBe(false);
});

test('a repair that fails leaves no journal, and can be repeated', async () => {
  unlinkSync(unit);
  // systemctl cannot enable the service.
  const folder = '/etc/systemd/system/multi-user.target.wants';
  renameSync(folder, `${folder}.away`);
  writeFileSync(folder, '');
  const run = await runAtomic(['containers', 'verify', '--repair', 'web']);
  expect(run.status).toBe(1);
  expect(run.stdout).toContain('web: not repaired: ');
  expect(existsSync(`${checkouts}/.atomic/journal/web.json`)).toBe(false);
  expect(existsSync(unit)).toBe(true);
  unlinkSync(folder);
  renameSync(`${folder}.away`, folder);
  await atomic(['containers', 'verify', '--repair', 'web']);
  expect(await findDifferences()).toEqual([]);
});
