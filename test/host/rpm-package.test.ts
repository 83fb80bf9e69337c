/** The rpm package, with rpm of Debian: in an empty root, and in a host with a service that runs. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';
import { atomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, runCommand } from './support/commands.ts';
import { readActivity, readEnablement, readInvocation } from './support/services.ts';

const checkout = join(import.meta.dir, '../..');
const folder = mkdtempSync('/tmp/packages-');
const root = join(folder, 'root');
const name = 'atomic-system-containers';
const program = '/usr/bin/atomic';
const packaged = join(folder, `${name}-${version}-1.x86_64.rpm`);
const timers = readdirSync(join(checkout, 'packaging/systemd')).filter((unit) => unit.endsWith('.timer'));

let images: ImageSource;
let image: string;

beforeAll(async () => {
  images = await openImageSource();
  await writeHostContainersConfig({ insecure: [images.registry.address] });
  image = await images.push('service', { exports: serviceExports });
  // The host shows dist/atomic there, which no package can replace.
  await command('umount', program);
  rmSync(program);
  const build = [join(checkout, 'scripts/package'), '--rpm', '--quick', '--output', folder, 'amd64'];
  await command('env', 'SOURCE_DATE_EPOCH=1700000000', ...build);
  mkdirSync(root);
});
afterAll(() => images[Symbol.asyncDispose]());

/** Debian has its dependencies under other names. */
function changeHost(action: string, ...words: readonly string[]): Promise<string> {
  return command('sh', '-c', 'exec rpm "$@" 2>&1', 'rpm', action, '--nodeps', ...words);
}

function changeRoot(...words: readonly string[]): Promise<string> {
  return command('rpm', '--root', root, '--dbpath', '/database', ...words);
}

async function buildPackage(spec: string, ...definitions: readonly string[]): Promise<void> {
  const defined = [
    `_topdir ${folder}/build`,
    `_rpmdir ${folder}`,
    '_build_name_fmt %%{NAME}-%%{VERSION}.rpm',
  ];
  const options = [...defined, '_binary_payload w1.zstdio', ...definitions].flatMap((text) => [
    '--define',
    text,
  ]);
  await command('rpmbuild', '-bb', '--quiet', ...options, spec);
}

test('an empty root gets the executable that was built, and nothing else than the files of the package', async () => {
  // An empty root has no shell for the scripts, and none of the dependencies.
  await changeRoot('--install', '--nodeps', '--noscripts', packaged);
  await command('cmp', join(root, program), join(checkout, 'dist/atomic'));
  // A stripped executable is the bare runtime.
  expect(await command(join(root, program), '--version')).toContain(version);
  expect(await changeRoot('--verify', '--nodeps', name)).toBe('');
  const all = await command(
    'find',
    root,
    '-type',
    'f',
    '-not',
    '-path',
    `${root}/database/*`,
    '-printf',
    '/%P\n',
  );
  const files = (await changeRoot('--query', '--list', name)).split('\n');
  expect(all.split('\n').filter((file) => !files.includes(file))).toEqual([]);
  for (const file of ['man/man1/atomic-containers-update.1.gz', 'man/man5/atomic.conf.5.gz'])
    expect(files).toContain(`/usr/share/${file}`);
  expect(files).toContain(`/usr/share/licenses/${name}/copyright`);
  expect(await changeRoot('--query', '--configfiles', name)).toBe('/etc/atomic.conf\n');
  const owners = await changeRoot(
    '--query',
    '--queryformat',
    '[%{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMODES:octal}\n]',
    name,
  );
  expect(owners).toMatch(/^(?:root:root (?:100644|100755|40755)\n)+$/);
});

test('its dependencies have the names of Fedora, and a package atomic is a conflict', async () => {
  const spec = join(folder, 'atomic.spec');
  const fields = [
    'Name: atomic',
    'Version: 1.22',
    'Release: 1',
    'Summary: other',
    'License: none',
    'BuildArch: noarch',
  ];
  writeFileSync(spec, `${fields.join('\n')}\n%description\nother\n%files\n`);
  await buildPackage(spec);
  const other = join(folder, 'atomic-1.22.rpm');
  const conflict = `atomic conflicts with (installed) ${name}-${version}-1.x86_64`;
  await expect(changeRoot('--install', other)).rejects.toThrow(conflict);
  const missing = ['(runc or crun)', 'ostree-libs >= 2021.3', 'skopeo', 'libstdc++.so.6()(64bit)'];
  const { stderr } = await runCommand([
    'rpm',
    '--root',
    mkdtempSync(join(folder, 'bare-')),
    '--install',
    packaged,
  ]);
  expect(missing.filter((wanted) => !stderr.includes(`${wanted} is needed by ${name}`))).toEqual([]);
});

test('a script at the place of the program is not replaced', async () => {
  const script = '#!/usr/bin/python3 -Es\n';
  writeFileSync(program, script, { mode: 0o755 });
  await expect(changeHost('--install', packaged)).rejects.toThrow(
    `${program} is another program.\nhint: remove`,
  );
  expect(readFileSync(program, 'utf8')).toBe(script);
  rmSync(program);
});

test('the first installation enables the recovery, and no timer', async () => {
  rmSync(join(root, 'database'), { recursive: true });
  const definitions = ['program_version 1.9', `staged ${root}`, `timers ${timers.join(' ')}`];
  await buildPackage(join(checkout, `packaging/rpm/${name}.spec`), ...definitions);
  await changeHost('--install', join(folder, `${name}-1.9.rpm`));
  expect(await atomic(['--version'])).toContain(version);
  expect(await readEnablement('atomic-recover')).toBe('enabled');
  for (const timer of timers) expect([timer, await readEnablement(timer)]).toEqual([timer, 'disabled']);
});

test('an upgrade stops no service, and keeps settings and units as the administrator has them', async () => {
  await atomic(['install', '--name', 'web', image]);
  await command('systemctl', 'start', 'web');
  await command('systemctl', 'enable', '--now', ...timers);
  await command('systemctl', 'disable', 'atomic-recover');
  writeFileSync('/etc/atomic.conf', 'runtime: runc\n');
  const before = await readInvocation('web');
  await changeHost('--upgrade', packaged);
  expect(await command('rpm', '--query', name)).toBe(`${name}-${version}-1.x86_64\n`);
  expect([await readActivity('web'), await readInvocation('web')]).toEqual(['active', before]);
  expect(readFileSync('/etc/atomic.conf', 'utf8')).toBe('runtime: runc\n');
  expect(await readEnablement('atomic-recover')).toBe('disabled');
  for (const timer of timers)
    expect([timer, await readEnablement(timer), await readActivity(timer)]).toEqual([
      timer,
      'enabled',
      'active',
    ]);
});

test('a removed package leaves services, containers and images, and says so', async () => {
  const before = await readInvocation('web');
  const output = await changeHost('--erase', name);
  expect(output).toContain('Containers stay, and no service is stopped: web\n');
  expect(output).toContain(`Kept: ${checkouts}\n`);
  expect([existsSync(program), existsSync('/etc/atomic.conf.rpmsave')]).toEqual([false, true]);
  for (const timer of timers)
    expect([timer, await readEnablement(timer), await readActivity(timer)]).toEqual([timer, '', 'inactive']);
  expect([await readActivity('web'), await readInvocation('web')]).toEqual(['active', before]);
  await command('systemctl', 'restart', 'web');

  await changeHost('--install', packaged);
  expect(await atomic(['containers', 'list', '--quiet'])).toBe('web\n');
  expect(await readEnablement('atomic-recover')).toBe('enabled');
  await atomic(['uninstall', 'web']);
  expect(await changeHost('--erase', name)).not.toContain('Containers stay');
});
