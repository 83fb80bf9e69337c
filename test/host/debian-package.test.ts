/** The Debian package as an administrator uses it: installed, upgraded, removed and purged, with a service that runs. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';
import { atomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, runCommand } from './support/commands.ts';
import { readActivity, readEnablement, readInvocation } from './support/services.ts';

const checkout = join(import.meta.dir, '../..');
const folder = mkdtempSync('/tmp/packages-');
const name = 'atomic-system-containers';
const program = '/usr/bin/atomic';
const packaged = join(folder, `${name}_${version}_amd64.deb`);
const older = join(folder, 'older.deb');
const timers = readdirSync(join(checkout, 'packaging/systemd')).filter((unit) => unit.endsWith('.timer'));

let images: ImageSource;
let slow: FaultyRegistry;
let image: string;

beforeAll(async () => {
  images = await openImageSource();
  slow = await startFaultyRegistry(images.registry);
  await writeHostContainersConfig({ insecure: [images.registry.address, slow.address] });
  image = await images.push('service', { exports: serviceExports });
  // The host shows dist/atomic there, which no package can replace.
  await command('umount', program);
  rmSync(program);
  // This machine may forbid that packages start and stop services, and takes long to index manual pages.
  for (const file of ['/usr/sbin/policy-rc.d', '/var/lib/man-db/auto-update']) rmSync(file, { force: true });
  const build = [join(checkout, 'scripts/package'), '--quick', '--output', folder, 'amd64'];
  await command('env', 'SOURCE_DATE_EPOCH=1700000000', ...build);
  await buildOlder();
});
afterAll(async () => {
  await slow.stop();
  await images[Symbol.asyncDispose]();
});

/** The same files as version 1.9. */
async function buildOlder(): Promise<void> {
  const tree = join(folder, 'older');
  await command('dpkg-deb', '--raw-extract', packaged, tree);
  const control = join(tree, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 1.9'));
  await command('dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '--build', tree, older);
  rmSync(tree, { recursive: true });
}

function dpkg(...words: readonly string[]): Promise<string> {
  return command('env', 'DEBIAN_FRONTEND=noninteractive', 'dpkg', ...words);
}

async function readPackage(): Promise<string> {
  const query = ['dpkg-query', '--show', '--showformat', '${db:Status-Status} ${Version}', name];
  return (await runCommand(query)).stdout;
}

/** The run of the service; that it is another one after a restart. */
async function readRun(): Promise<string> {
  expect(await readActivity('web')).toBe('active');
  return readInvocation('web');
}

test('a script at the place of the program is not replaced', async () => {
  const script = '#!/usr/bin/python3 -Es\n';
  writeFileSync(program, script, { mode: 0o755 });
  const { status, stderr } = await runCommand(['dpkg', '--install', packaged]);
  expect(status).not.toBe(0);
  expect(stderr).toContain(`${program} is another program, and belongs to no package.\nhint: move it away`);
  expect(readFileSync(program, 'utf8')).toBe(script);
  rmSync(program);
  await dpkg('--purge', name);
});

test('apt installs the executable that was built, the settings, and units of which one is enabled', async () => {
  const options = ['--yes', '--no-install-recommends', '--option', 'Dpkg::Use-Pty=0'];
  await command('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...options, 'install', older);
  expect(await readPackage()).toBe('installed 1.9');
  // A stripped executable is the bare runtime.
  expect(await atomic(['--version'])).toContain(version);
  await command('cmp', program, join(checkout, 'dist/atomic'));
  expect(await atomic(['images', 'list'])).toBe('');
  expect(await readEnablement('atomic-recover')).toBe('enabled');
  for (const timer of timers) expect([timer, await readEnablement(timer)]).toEqual([timer, 'disabled']);
  expect(
    (await runCommand(['systemctl', 'show', '--property=NeedDaemonReload', 'atomic-recover'])).stdout,
  ).toBe('NeedDaemonReload=no\n');
});

test('the package belongs to root, and has a page for each verb', async () => {
  const lines = (await command('dpkg-deb', '--contents', packaged)).trimEnd().split('\n');
  expect(lines.filter((line) => !/^(?:-rw-r--r--|-rwxr-xr-x|drwxr-xr-x) root\/root /.test(line))).toEqual([]);
  const files = lines.map((line) => line.split(/\s+/)[5]);
  expect(files).toContain('./usr/share/man/man1/atomic-containers-update.1.gz');
  expect(files).toContain('./usr/share/man/man5/atomic.conf.5.gz');
  expect(files).toContain(`./usr/share/doc/${name}/copyright`);
});

test('an upgrade stops no service, and a pull that runs meanwhile goes on', async () => {
  await atomic(['pull', image]);
  await atomic(['install', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
  await command('systemctl', 'enable', '--now', ...timers);
  const before = await readRun();

  const upgraded = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const fault = { kind: 'hold', afterBytes: 10, until: upgraded.promise, reached: reached.resolve } as const;
  const other = await images.push('other', { exports: serviceExports, extra: [] });
  slow.setRules([{ path: /\/blobs\//, times: 1, fault }]);
  const pull = atomic(['pull', other.replace(images.registry.address, slow.address)]);
  await reached.promise;
  await dpkg('--install', packaged);
  upgraded.resolve();
  expect(await pull).toContain('Stored ');

  expect(await readPackage()).toBe(`installed ${version}`);
  expect(await readRun()).toBe(before);
  for (const timer of timers) expect([timer, await readEnablement(timer)]).toEqual([timer, 'enabled']);
});

test('an upgrade keeps settings and a disabled unit as the administrator has them; so does a downgrade', async () => {
  const before = await readRun();
  writeFileSync('/etc/atomic.conf', 'runtime: crun\n');
  await command('systemctl', 'disable', 'atomic-recover');
  await dpkg('--install', older);
  expect(await readPackage()).toBe('installed 1.9');
  await dpkg('--install', packaged);
  expect(readFileSync('/etc/atomic.conf', 'utf8')).toBe('runtime: crun\n');
  expect(await readEnablement('atomic-recover')).toBe('disabled');
  expect(await readRun()).toBe(before);
});

test('a removed package leaves the services running, and says so', async () => {
  const before = await readRun();
  const output = await dpkg('--remove', name);
  expect(output).toContain('Containers stay, and no service is stopped: web\n');
  expect(output).toMatch(
    /^They need .*runc.* To protect these packages from apt autoremove: apt-mark manual .*runc/m,
  );
  expect([existsSync(program), existsSync('/etc/atomic.conf')]).toEqual([false, true]);
  for (const timer of timers) expect([timer, await readActivity(timer)]).toEqual([timer, 'inactive']);
  expect(await readRun()).toBe(before);
  await command('systemctl', 'restart', 'web');
  expect(await readRun()).not.toBe(before);
});

test('the package finds its containers again', async () => {
  await dpkg('--install', packaged);
  expect(await atomic(['containers', 'list', '--quiet'])).toBe('web\n');
  expect(await readEnablement('atomic-recover')).toBe('disabled');
});

test('a purge removes the settings and keeps containers and images, and says where', async () => {
  const before = await readRun();
  const output = await dpkg('--purge', name);
  expect(output).toContain(`Kept: ${checkouts}\n`);
  expect(output).toContain(`Kept: the container web in ${checkouts}\n`);
  expect(existsSync('/etc/atomic.conf')).toBe(false);
  const links = timers.map((timer) => `/etc/systemd/system/timers.target.wants/${timer}`);
  expect(links.filter((link) => existsSync(link))).toEqual([]);
  expect(await readRun()).toBe(before);

  await dpkg('--install', packaged);
  expect(await readEnablement('atomic-recover')).toBe('enabled');
  await atomic(['uninstall', 'web']);
  expect(await dpkg('--remove', name)).not.toContain('Containers stay');
});

test('scripts/install does the same without a package manager, below /usr/local', async () => {
  const script = join(checkout, 'scripts/install');
  const places = ['bin/atomic', 'lib/systemd/system/atomic-update.timer', 'share/man/man1/atomic.1'];
  const look = () => places.map((place) => existsSync(`/usr/local/${place}`));
  await command(script);
  expect(look()).toEqual([true, true, true]);
  expect(await command('/usr/local/bin/atomic', 'containers', 'list')).toBe('');
  expect(await readEnablement('atomic-recover')).toBe('enabled');

  writeFileSync('/etc/atomic.conf', 'runtime: crun\n');
  await command(script);
  expect(await command(script, '--remove')).toStartWith('Containers, images and /etc/atomic.conf stay');
  expect([...look(), existsSync('/etc/atomic.conf')]).toEqual([false, false, false, true]);
  expect(await readEnablement('atomic-recover')).toBe('');
  expect(await command(script, '--remove')).toStartWith('Containers, images and /etc/atomic.conf stay');

  expect(await runCommand([script, '--prefix', '/opt'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('systemd does not look for units there'),
  });
});
