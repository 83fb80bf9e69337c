import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts, readHostState } from './host-state.ts';
import { diffLooks, type HostLook } from './support/own-changes.ts';

let images: ImageSource;
let service: string;
let clean: HostLook;
beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
  clean = readHostState();
});
afterAll(() => images[Symbol.asyncDispose]());
afterEach(async () => {
  expect(diffLooks(clean, readHostState())).toEqual([]);
});

/** @throws Error when the script fails */
function sh(script: string): string {
  const run = spawnSync('/bin/sh', ['-ec', script], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr}`);
  return run.stdout;
}

const install = (): Promise<string> => atomic(['install', '--system', service]);

test('an unknown container', async () => {
  expect(await failingAtomic(1, ['uninstall', 'etcd'])).toBe(
    "error: System container 'etcd' is not installed\nhint: No system container is installed.\n",
  );
  await install();
  expect(await failingAtomic(1, ['uninstall', 'servce'])).toContain('service');
  await atomic(['uninstall', 'service']);
});

test('several containers: after a failure the others are uninstalled', async () => {
  const names = ['a', 'b', 'c'];
  for (const name of names) await atomic(['install', '--system', '--name', name, service]);
  // A name that is none is found before anything is changed.
  expect(await failingAtomic(2, ['uninstall', 'a', 'no/name'])).toContain("'no/name'");
  const run = await runAtomic(['uninstall', 'a', 'missing', 'b', 'a']);
  expect(run.status).toBe(1);
  expect(run.stderr).toContain(
    "Warning: missing was not uninstalled: System container 'missing' is not installed",
  );
  expect(run.stderr).toEndWith(
    'error: uninstalling 3 containers: missing failed, 2 containers uninstalled\n',
  );
  expect(await atomic(['containers', 'list', '-aq'])).toBe('c\n');
  expect(JSON.parse(await atomic(['uninstall', '--json', 'c'])).uninstalled).toBe('c');
  sh('rm -rf /run/a /run/b /run/c');
});

test('containers delete asks, in the words of the original', async () => {
  for (const name of ['a', 'b']) await atomic(['install', '--system', '--name', name, service]);
  const heading = `   ID           NAME                 ${'IMAGE_NAME'.padEnd(service.length)} STORAGE`;
  const table = `${heading}\n   a            a                    ${service} ostree\n`;
  const refused = await runAtomic(['containers', 'delete', 'a'], { input: 'n\n' });
  expect(refused).toMatchObject({
    status: 2,
    stdout: '',
    stderr: `Do you wish to delete the following containers?\n\n${table}\nConfirm (y/N) error: User aborted delete operation for ['a']\n`,
  });
  expect(await failingAtomic(1, ['containers', 'delete', '-f', 'a', 'missing'])).toStartWith(
    "error: System container 'missing' is not installed\n",
  );
  expect(await atomic(['containers', 'list', '-aq'])).toBe('a\nb\n');
  const accepted = await runAtomic(['containers', 'delete', 'a'], { input: 'y\n' });
  expect(accepted).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('systemctl disable --now a\n'),
  });
  const all = await atomic(['-y', 'containers', 'delete', '--all']);
  expect(all).toStartWith('The following containers will be deleted.\n\n   ID ');
  expect(await atomic(['containers', 'list', '-aq'])).toBe('');
  expect(await atomic(['containers', 'delete', '-a'])).toBe('No containers to delete\n');
  sh('rm -rf /run/a /run/b');
  for (const words of [
    ['containers', 'delete'],
    ['containers', 'delete', '-a', 'a'],
  ]) {
    expect(await failingAtomic(2, words)).toContain(
      'You must select --all or provide a list of containers to delete.',
    );
  }
});

/** Without `info` it is unknown that the install has created the folder: it stays. */
function removeUnknownFolder(): void {
  if (existsSync('/run/service')) sh('rmdir /run/service');
}

/** States that a crash of the original, or a person, can leave. */
const damages: Readonly<Record<string, string>> = {
  'no info': 'rm service.0/info',
  'an info that is not JSON': 'echo { > service.0/info',
  'a symlink that leads nowhere': 'rm -r service.0',
  'no symlink': 'rm service',
  'nothing but the unit': 'rm -r service service.0',
  'no unit': 'rm /etc/systemd/system/service.service',
  'a running service without a unit':
    'systemctl start service; rm /etc/systemd/system/service.service; systemctl daemon-reload',
  'an empty folder of the other deployment': 'mkdir service.1',
  'leftovers of killed operations':
    'mkdir -p .service.0.new/rootfs .service.1.old/rootfs; ln -s x .service.link',
};

test.each(Object.entries(damages))('a container with %s is uninstalled', async (_, damage) => {
  await install();
  sh(`cd ${checkouts}; ${damage}`);
  await atomic(['uninstall', 'service']);
  removeUnknownFolder();
  expect(sh('systemctl show --property=LoadState --value service')).toBe('not-found\n');
});

test('a damaged container is listed and does not hide the others', async () => {
  await install();
  await atomic(['install', '--system', '--name', 'other', service]);
  sh(`rm ${checkouts}/service.0/info`);
  const run = await runAtomic(['containers', 'list', '-a', '-n']);
  expect(run.stdout).toContain('other');
  expect(run.stderr).toContain(`service is damaged: there is no ${checkouts}/service.0/info`);
  expect(await failingAtomic(1, ['install', '--system', service])).toContain('atomic uninstall service');
  await atomic(['uninstall', 'service']);
  removeUnknownFolder();
  await atomic(['uninstall', 'other']);
});

test('a failed service is forgotten (X-32)', async () => {
  await install();
  sh(
    `rm ${checkouts}/service.0/config.json; systemctl start service || true; while ! systemctl is-failed -q service; do sleep 0.05; done`,
  );
  const [listed] = JSON.parse(await atomic(['containers', 'list', '--json']));
  expect(listed.state).toBe('failed');
  await atomic(['uninstall', 'service']);
  expect(sh('systemctl --failed --no-legend')).toBe('');
});

test.each(['/usr/sbin/runc', '/usr/bin/crun'])(
  'a container that %s still has is removed (X-32)',
  async (runtime) => {
    await atomic(['install', '--system', `--runtime=${runtime}`, service]);
    sh(`${runtime} create --bundle ${checkouts}/service.0 service </dev/null >/dev/null 2>&1`);
    sh(`${runtime} state service`);
    await atomic(['uninstall', 'service']);
    expect(spawnSync(runtime, ['state', 'service']).status).not.toBe(0);
  },
);

test('nothing below a mount is removed', async () => {
  await install();
  sh(`mkdir /tmp/data; touch /tmp/data/precious; mount --bind /tmp/data ${checkouts}/service.0/rootfs/tmp`);
  const run = await runAtomic(['uninstall', 'service']);
  expect(run.status).toBe(1);
  expect(run.stderr).toBe(
    [
      `error: remove ${checkouts}/service.0: something is mounted at ${checkouts}/service.0/rootfs/tmp; service stays installed, and service.service is inactive`,
      `hint: Stop what uses the mount, run \`umount ${checkouts}/service.0/rootfs/tmp\` and repeat the command.`,
      '',
    ].join('\n'),
  );
  expect(existsSync('/tmp/data/precious')).toBe(true);
  expect(sh(`ls ${checkouts}/.atomic/journal`)).toBe('');
  const [listed] = JSON.parse(await atomic(['containers', 'list', '-a', '--json']));
  expect(listed).toMatchObject({ id: 'service', state: 'inactive' });
  sh(`umount ${checkouts}/service.0/rootfs/tmp`);
  await atomic(['uninstall', 'service']);
});

test('files of other owners stay', async () => {
  await install();
  sh('echo "[Service]" > /etc/systemd/system/service.service; echo "# mine" > /etc/tmpfiles.d/service.conf');
  expect(await atomic(['uninstall', 'service'])).toBe(
    [
      'systemctl disable --now service',
      'Will not delete /etc/systemd/system/service.service as it was manually modified.',
      'systemctl daemon-reload',
      'Will not delete /etc/tmpfiles.d/service.conf as it was manually modified.',
      '',
    ].join('\n'),
  );
  sh('rm /etc/systemd/system/service.service /etc/tmpfiles.d/service.conf; rmdir /run/service');
  sh('rm -f /etc/systemd/system/multi-user.target.wants/service.service; systemctl daemon-reload');
});

/** The unit and the tmpfiles.d file as the original writes them; `info` is the same. */
const takeMarkers = 'sed -i "/^# Generated by atomic/d"';
const ofTheOriginal: Readonly<Record<string, string>> = {
  'that the original installed': `${takeMarkers} /etc/systemd/system/service.service /etc/tmpfiles.d/service.conf service.0/service.service service.0/tmpfiles-service.conf`,
  'that the original updated': `cp -a service.0 service.1; ln -sfn ${checkouts}/service.1 service
    ${takeMarkers} service.1/service.service service.1/tmpfiles-service.conf
    echo "# new" | tee -a service.1/service.service >> service.1/tmpfiles-service.conf
    cp service.1/service.service /etc/systemd/system; cp service.1/tmpfiles-service.conf /etc/tmpfiles.d/service.conf`,
};

test.each(Object.entries(ofTheOriginal))('a container %s is removed completely', async (_, change) => {
  await install();
  sh(`cd ${checkouts}; ${change}; systemctl daemon-reload; systemctl start service`);
  expect(await atomic(['uninstall', 'service'])).not.toContain('manually modified');
  expect(sh('systemctl show --property=LoadState --value service')).toBe('not-found\n');
});

test('host files of the original are removed when they have not changed', async () => {
  await install();
  sh(`mkdir -p /opt/original; cd /opt/original; printf a > same; printf b > edited; ln -s nowhere link
    ln -s same alias`);
  const a = new Bun.CryptoHasher('sha256').update('a').digest('hex');
  const checksums = { same: a, edited: a, alias: a, link: '0', gone: '0' };
  const paths = Object.keys(checksums).map((name) => `/opt/original/${name}`);
  const info = JSON.parse(sh(`cat ${checkouts}/service.0/info`));
  info['installed-files'] = [...paths, '/opt/original/old'];
  info['installed-files-checksum'] = Object.fromEntries(
    Object.entries(checksums).map(([name, checksum]) => [`/opt/original/${name}`, checksum]),
  );
  await Bun.write(`${checkouts}/service.0/info`, JSON.stringify(info));
  sh('touch /opt/original/old');
  const output = await atomic(['uninstall', 'service']);
  expect(output).toContain('Will not delete /opt/original/edited as it was manually modified.');
  expect(sh('ls /opt/original')).toBe('edited\nold\n');
  sh('rm -r /opt/original');
});

test('a unit that a person has edited stays, with any first author', async () => {
  await install();
  sh(`cd ${checkouts}; ${ofTheOriginal['that the original installed']}`);
  sh('echo "# mine" >> /etc/systemd/system/service.service');
  expect(await atomic(['uninstall', 'service'])).toContain(
    'Will not delete /etc/systemd/system/service.service as it was manually modified.',
  );
  sh('rm /etc/systemd/system/service.service; systemctl daemon-reload');
});

test('a read-only /etc: nothing is changed', async () => {
  await install();
  sh('systemctl start service; mount --bind /etc /etc; mount -o remount,bind,ro /etc');
  try {
    expect(await failingAtomic(1, ['uninstall', 'service'])).toStartWith(
      'error: change /etc/systemd/system: the filesystem is read-only\n',
    );
    expect(sh('systemctl is-active service')).toBe('active\n');
  } finally {
    sh('umount /etc');
  }
  await atomic(['uninstall', 'service']);
});

test('of the folders in tmpfiles lines, only those that the install has created are removed', async () => {
  const image = await images.push('folders', {
    exports: {
      ...serviceExports,
      'tmpfiles.template': [
        'd /run/$NAME',
        'd /run/there',
        'D /run/emptied',
        'd /run/shared/deep',
        'D /run/made/deep 0700',
        '',
      ].join('\n'),
    },
  });
  sh('mkdir /run/there /run/emptied; touch /run/emptied/socket');
  const before = readHostState();
  await atomic(['install', '--system', '--name', 'one', image]);
  await atomic(['install', '--system', '--name', 'two', image]);
  sh('touch /run/made/deep/rest');
  await atomic(['uninstall', 'one']);
  expect(sh('ls -d /run/one /run/shared/deep /run/made/deep 2>/dev/null || true')).toBe(
    '/run/made/deep\n/run/shared/deep\n',
  );
  await atomic(['uninstall', 'two']);
  expect(diffLooks(before, readHostState())).toEqual([]);
  sh('rm -r /run/there /run/emptied');
});
