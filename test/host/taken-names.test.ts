/** Names that are in use on the host: a container cannot have them, with any kind of user. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { atomic, failingAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports, serviceTemplate } from './container-images.ts';
import { readHostState } from './host-state.ts';
import { diffLooks } from './support/own-changes.ts';

let images: ImageSource;
let service: string;
beforeAll(async () => {
  images = await openImageSource();
  service = await images.push('service', { exports: serviceExports });
  await atomic(['pull', service]);
  // Makes the folders of locks and journals, which stay.
  await atomic(['install', '--system', service]);
  await atomic(['uninstall', 'service']);
  sh(`
    mkdir -p /usr/local/lib/systemd/system /usr/local/lib/tmpfiles.d /run/systemd/system /run/tmpfiles.d
    sleeper='[Service]\\nExecStart=/bin/sleep 1000\\n'
    printf "$sleeper" > /usr/lib/systemd/system/vendor.service
    printf "$sleeper" > /usr/local/lib/systemd/system/local.service
    printf "$sleeper" > /run/systemd/system/volatile.service
    printf "$sleeper" > /run/systemd/system/vanished.service
    printf "$sleeper" > '/usr/lib/systemd/system/many@.service'
    ln -s vendor.service /usr/lib/systemd/system/nickname.service
    ln -s /dev/null /run/systemd/system/masked.service
    printf '[Socket\\n' > /usr/lib/systemd/system/broken.socket
    printf '[Timer]\\nOnBootSec=1d\\n' > /usr/lib/systemd/system/packaged.timer
    printf '[Unit]\\n' > /etc/systemd/system/group.target
    printf '#!/bin/sh\\n### BEGIN INIT INFO\\n# Provides: script\\n# Default-Start: 3\\n# Default-Stop: 0\\n### END INIT INFO\\n' > /etc/init.d/script
    chmod 755 /etc/init.d/script
    systemctl daemon-reload
    systemctl start vanished
    rm /run/systemd/system/vanished.service
    systemctl daemon-reload
    systemd-run --quiet --unit=transient sleep 1000
    for folder in /run /usr/local/lib /usr/lib; do : > "$folder/tmpfiles.d/declared-in$(echo "$folder" | tr / -).conf"; done
  `);
});
afterAll(() => images[Symbol.asyncDispose]());

/** @throws Error when the script fails */
function sh(script: string): string {
  const run = spawnSync('/bin/sh', ['-ec', script], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr}`);
  return run.stdout;
}

test.each([
  ['vendor', 'vendor.service is a unit of this host (/lib/systemd/system/vendor.service)'],
  ['local', 'local.service is a unit of this host (/usr/local/lib/systemd/system/local.service)'],
  ['volatile', 'volatile.service is a unit of this host (/run/systemd/system/volatile.service)'],
  ['nickname', 'nickname.service is another name of vendor.service, a unit of this host (/lib/'],
  ['masked', 'masked.service is masked on this host (/run/systemd/system/masked.service)'],
  ['script', 'script.service is a unit of this host (made from /etc/init.d/script)'],
  ['transient', 'transient.service is a unit of this host (/run/systemd/transient/transient.service)'],
  ['vanished', 'vanished.service runs on this host'],
  ['broken', 'broken.socket is a unit of this host (/lib/systemd/system/broken.socket)'],
  ['packaged', 'packaged.timer is a unit of this host (/lib/systemd/system/packaged.timer)'],
  ['group', 'group.target is a unit of this host (/etc/systemd/system/group.target)'],
  ['dbus', 'dbus.service is a unit of this host (/lib/systemd/system/dbus.service)'],
  ['default', 'default.target is another name of graphical.target, a unit of this host (/lib/'],
  ['multi-user', 'multi-user.target is a unit of this host (/lib/systemd/system/multi-user.target)'],
  ['init', 'init.scope runs on this host'],
  ['system', 'system.slice runs on this host'],
  ['declared-in-run', '/run/tmpfiles.d/declared-in-run.conf is a file of this host'],
  [
    'declared-in-usr-local-lib',
    '/usr/local/lib/tmpfiles.d/declared-in-usr-local-lib.conf is a file of this host',
  ],
  ['declared-in-usr-lib', '/usr/lib/tmpfiles.d/declared-in-usr-lib.conf is a file of this host'],
])('the name %s is taken', async (name, reason) => {
  const before = readHostState();
  const stderr = await failingAtomic(1, ['install', '--system', '--name', name, service]);
  // systemd of Debian 12 looks into /lib first, which is the same folder.
  expect(stderr.replace('(/usr/lib/systemd', '(/lib/systemd')).toStartWith(
    `error: Cannot install ${name}: ${reason}`,
  );
  expect(stderr).toEndWith('hint: Choose another name with --name NAME.\n');
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test('the name of the other deployment of a container is taken; two dashes are allowed', async () => {
  await atomic(['install', '--system', '--name', 'web', service]);
  expect(await failingAtomic(1, ['install', '--system', '--name', 'web.1', service])).toStartWith(
    'error: Cannot install web.1: the container web needs /var/lib/containers/atomic/web.1 for its deployments\n',
  );
  await atomic(['install', '--system', '--name', 'web--1', service]);
  await atomic(['uninstall', 'web', 'web--1']);
});

test('drop-ins and removed units of the host do not make a name taken', async () => {
  sh(`
    mkdir -p /etc/systemd/system/web.service.d
    printf '[Service]\\nNice=5\\n' > /etc/systemd/system/web.service.d/nice.conf
    printf '[Timer]\\nOnBootSec=1d\\n' > /etc/systemd/system/web.timer
    printf '[Service]\\nExecStart=/bin/false\\n' > /run/systemd/system/web.service
    systemctl daemon-reload
    systemctl start web
    systemctl start web.timer
    while ! systemctl is-failed --quiet web; do sleep 0.05; done
    rm /run/systemd/system/web.service
  `);
  for (const script of ['true', 'systemctl daemon-reload']) {
    sh(script);
    await atomic(['install', '--system', '--name', 'web', service]);
    expect(sh('systemctl show --property=Nice --value web')).toBe('5\n');
    await atomic(['uninstall', 'web']);
  }
  sh('systemctl stop web.timer; rm -r /etc/systemd/system/web.timer /etc/systemd/system/web.service.d');
});

async function pushWithInstallLines(...lines: readonly string[]): Promise<string> {
  const image = await images.push('named', {
    exports: { ...serviceExports, 'service.template': `${serviceTemplate}${lines.join('\n')}\n` },
  });
  await atomic(['pull', image]);
  return image;
}

test.each([
  [['Alias=free.service vendor.service'], "'Alias=vendor.service' in its unit: vendor.service is a unit of"],
  [['Alias=nickname.service'], "'Alias=nickname.service' in its unit: nickname.service is another name of"],
  [['Also=group.target'], "'Also=group.target' in its unit: group.target is a unit of this host"],
  [['Also=many@.service'], "'Also=many@.service' in its unit: many@atomic.service is a unit of this host"],
  [['Also=free.service \\', '# comment', 'vendor.service'], "'Also=vendor.service' in its unit: "],
])('%j of an image is refused', async (lines, reason) => {
  const image = await pushWithInstallLines(...lines);
  const before = readHostState();
  const stderr = await failingAtomic(1, ['install', '--system', '--name', 'web', image]);
  expect(stderr).toStartWith(`error: Cannot install web: ${reason}`);
  expect(stderr).toContain('/exports/service.template, and the --set values.');
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test('specifiers in Alias= are refused', async () => {
  const image = await pushWithInstallLines('Alias=%j.service');
  expect(await failingAtomic(1, ['install', '--system', '--name', 'web', image])).toContain(
    "makes a unit with 'Alias=%j.service', which is not the plain name of a unit",
  );
});

test('a free alias is created, belongs to the container, and is removed with it', async () => {
  const image = await pushWithInstallLines('Alias=second.service web.service', 'Also=unknown.socket');
  const before = readHostState();
  await atomic(['install', '--system', '--name', 'web', image]);
  expect(sh('systemctl show --property=Id --value second')).toBe('web.service\n');
  expect(await failingAtomic(1, ['install', '--system', '--name', 'second', service])).toContain(
    'second.service is another name of web.service, the unit of the container web (/etc/systemd/system/web.service)',
  );
  await atomic(['uninstall', 'web']);
  expect(diffLooks(before, readHostState())).toEqual([]);
});

test('the hint names the command that removes the remains of a container', async () => {
  await atomic(['install', '--system', '--name', 'web', service]);
  sh('rm -r /var/lib/containers/atomic/web /var/lib/containers/atomic/web.0');
  const again = ['install', '--system', '--name', 'web', service];
  expect(await failingAtomic(1, again)).toContain(
    'Remove what is left of an earlier installation with `atomic uninstall web`.',
  );
  const env = {
    ATOMIC_OSTREE_CHECKOUT_PATH: '/var/lib/containers/elsewhere',
    ATOMIC_OSTREE_REPO: '/var/lib/containers/atomic/.storage/ostree',
  };
  expect(await failingAtomic(1, again, { env })).toContain(
    'Remove it, or choose another name with --name NAME.',
  );
  await atomic(['uninstall', 'web']);
});
