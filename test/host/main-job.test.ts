/**
 * The session of the article, as a person types it: etcd from Debian and the flannel stand-in, from a registry to
 * running services and back, with runc and with crun.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { buildEtcdImage, buildFlannelImage, buildHelloImage } from '../../images/example-images.ts';
import { atomic, runAtomic } from '../support/atomic.ts';
import { writeHostContainersConfig } from '../support/containers-config.ts';
import type { BuiltImage } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { onlyAsks } from './support/asks.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { diffLooks, type HostLook } from './support/own-changes.ts';
import { readActivity, readEnablement, readInvocation, waitForNewRun } from './support/services.ts';
import { formatStoredLine } from './support/stored-line.ts';
import { lookAtWholeHost, protectHost } from './support/whole-host.ts';

const checkouts = '/var/lib/containers/atomic';
const etcd = '127.0.0.1:5000/gscrivano/etcd';
const flannel = '127.0.0.1:5000/gscrivano/flannel';
const hello = '127.0.0.1:5000/gscrivano/hello';
const key = '/coreos.com/network/config';
const network = '{"Network": "10.5.0.0/16"}';
const runtimes = [
  { runtime: 'runc', path: '/usr/sbin/runc', options: [] },
  { runtime: 'crun', path: '/usr/bin/crun', options: ['--runtime', '/usr/bin/crun'] },
] as const;

let registry: Registry;
let etcdImage: BuiltImage;
let flannelImage: BuiltImage;

beforeAll(async () => {
  // Before the host is protected: the checkout may be below a folder that is hidden then.
  etcdImage = await buildEtcdImage();
  flannelImage = await buildFlannelImage();
  const helloImage = await buildHelloImage();
  await protectHost();
  registry = await startRegistry({ port: 5000 });
  await writeHostContainersConfig({ insecure: [registry.address] });
  await pushImage(registry, 'gscrivano/etcd', etcdImage);
  await pushImage(registry, 'gscrivano/flannel', flannelImage);
  await pushImage(registry, 'gscrivano/hello', helloImage);
});
afterAll(() => registry.stop());

test('pull fetches every layer once', async () => {
  await registry.forgetRequests();
  const layers = etcdImage.layers.map(({ digest }) => digest);
  expect(await runAtomic(['pull', '--storage=ostree', etcd])).toMatchObject({
    stdout: `Image ${etcd} is being pulled to ostree ...\n${pullingLines(etcd, etcdImage, layers)}`,
    stderr: onlyAsks,
    status: 0,
  });
  expect((await registry.blobGets()).sort()).toEqual([...layers, etcdImage.config.digest].sort());

  await registry.forgetRequests();
  expect(await atomic(['pull', '--storage=ostree', etcd])).toBe(
    `Image ${etcd} is being pulled to ostree ...\n${etcd}:latest is up to date\n`,
  );
  expect(await registry.blobGets()).toEqual([]);
});

test('images list shows the image', async () => {
  expect(hideTimes(await atomic(['images', 'list']))).toBe(
    [
      '   REPOSITORY                      TAG          IMAGE ID       CREATED            VIRTUAL SIZE   TYPE',
      `   127.0.0.1:5000/gscrivano/etcd   latest       ${shortId(etcdImage)}   YYYY-MM-DD hh:mm   ${size(etcdImage).padEnd(12)}   system`,
      '',
    ].join('\n'),
  );
});

test('the layers that flannel shares with etcd are not fetched again', async () => {
  await registry.forgetRequests();
  const shared = etcdImage.layers.map(({ digest }) => digest);
  const own = flannelImage.layers.map(({ digest }) => digest).filter((digest) => !shared.includes(digest));
  expect(await atomic(['pull', flannel])).toBe(
    `Image ${flannel} is being pulled to ostree ...\n${pullingLines(flannel, flannelImage, own)}`,
  );
  expect((await registry.blobGets()).sort()).toEqual([...own, flannelImage.config.digest].sort());
});

describe.each(runtimes)('with $runtime', ({ runtime, path, options }) => {
  let before: HostLook;

  test('install prints what it does; the service is enabled and not started', async () => {
    before = lookAtWholeHost();
    expect(await runAtomic(['install', '--system', ...options, etcd])).toMatchObject({
      stdout: installLines('etcd'),
      stderr: onlyAsks,
      status: 0,
    });
    expect(await readEnablement('etcd')).toBe('enabled');
    expect(await readActivity('etcd')).toBe('inactive');
    expect(readInfo('etcd').runtime).toBe(path);
  });

  test('etcd starts, takes a value and gives it back', async () => {
    expect(await command('systemctl', 'start', 'etcd')).toBe('');
    expect(await command('etcdctl', 'put', key, network)).toBe('OK\n');
    expect(await command('etcdctl', 'get', key)).toBe(`${key}\n${network}\n`);
  });

  test('flannel reads its network from the etcd that --set names', async () => {
    const setting = ['--set', 'ETCD_ENDPOINTS=http://127.0.0.1:2379'];
    expect(await atomic(['install', '--system', ...options, ...setting, flannel])).toBe(
      installLines('flannel'),
    );
    await command('systemctl', 'start', 'flannel');
    await waitUntil('flannel reports its network', async () => existsSync('/run/flannel/subnet.env'));
    expect(readFileSync('/run/flannel/subnet.env', 'utf8')).toBe('FLANNEL_NETWORK=10.5.0.0/16\n');
    await waitUntil('the report is in the journal', async () =>
      (await command('journalctl', '--unit=flannel', '--output=cat')).includes(
        `flannel: network 10.5.0.0/16, read from ${key} at http://127.0.0.1:2379\n`,
      ),
    );
  });

  test('containers list and images list show what runs', async () => {
    expect(hideTimes(await atomic(['containers', 'list', '-a']))).toBe(
      [
        '   CONTAINER ID IMAGE                            COMMAND              CREATED          STATUS    RUNTIME',
        `   etcd         127.0.0.1:5000/gscrivano/etcd    /usr/bin/etcd-env.sh YYYY-MM-DD hh:mm running   ${runtime}`,
        `   flannel      127.0.0.1:5000/gscrivano/flannel /usr/bin/flanneld.sh YYYY-MM-DD hh:mm running   ${runtime}`,
        '',
      ].join('\n'),
    );
    expect(hideTimes(await atomic(['images', 'list']))).toBe(
      [
        '   REPOSITORY                         TAG          IMAGE ID       CREATED            VIRTUAL SIZE   TYPE',
        `>  127.0.0.1:5000/gscrivano/etcd      latest       ${shortId(etcdImage)}   YYYY-MM-DD hh:mm   ${size(etcdImage).padEnd(12)}   system`,
        `>  127.0.0.1:5000/gscrivano/flannel   latest       ${shortId(flannelImage)}   YYYY-MM-DD hh:mm   ${size(flannelImage).padEnd(12)}   system`,
        '',
      ].join('\n'),
    );
  });

  test('a second install of the name changes nothing', async () => {
    const run = await readInvocation('etcd');
    expect(await runAtomic(['install', '--system', etcd])).toMatchObject({
      stdout: 'etcd already present\n',
      stderr: onlyAsks,
      status: 0,
    });
    expect(await readInvocation('etcd')).toBe(run);
  });

  test('etcd has its data after a restart', async () => {
    const run = await readInvocation('etcd');
    await command('systemctl', 'restart', 'etcd');
    await waitForNewRun('etcd', run);
    await expectOneEtcd();
  });

  test.each([
    ['the runtime', ['etcd.service']],
    ['the container', [`${runtime}-etcd.scope`]],
    ['both', [`${runtime}-etcd.scope`, 'etcd.service']],
  ])('etcd comes back after a SIGKILL of %s (X-32)', async (_, units) => {
    const run = await readInvocation('etcd');
    await command('systemctl', 'kill', '--signal=KILL', ...units);
    await waitForNewRun('etcd', run);
    await expectOneEtcd();
    // The next kill must not meet systemd's limit of starts in a short time.
    await command('systemctl', 'reset-failed', 'etcd');
  });

  test('a stop after a SIGKILL of the runtime leaves no container running (X-32)', async () => {
    await command('systemctl', 'kill', '--signal=KILL', 'etcd.service');
    await command('systemctl', 'stop', 'etcd');
    expect(await listContainers(path)).toEqual(['flannel']);
    await command('systemctl', 'start', 'etcd');
  });

  test('both start with the target of the boot when /run was empty', async () => {
    await command('systemctl', 'stop', 'flannel', 'etcd');
    for (const folder of ['/run/runc', '/run/crun', '/run/flannel'])
      await rm(folder, { recursive: true, force: true });
    const tmpfiles = ['/etc/tmpfiles.d/etcd.conf', '/etc/tmpfiles.d/flannel.conf'];
    await command('systemd-tmpfiles', '--create', '--remove', '--boot', ...tmpfiles);
    await command('systemctl', 'start', 'multi-user.target');
    await waitUntil('flannel reports its network', async () => existsSync('/run/flannel/subnet.env'));
    await expectOneEtcd();
  });

  test('stop and uninstall leave the host as it was before the install', async () => {
    await command('systemctl', 'stop', 'flannel');
    expect(await atomic(['uninstall', 'flannel'])).toBe(uninstallLines('flannel'));
    // etcd still runs.
    expect(await runAtomic(['uninstall', 'etcd'])).toMatchObject({
      stdout: uninstallLines('etcd'),
      stderr: onlyAsks,
      status: 0,
    });
    expect(await atomic(['containers', 'list', '-a'])).toBe('');
    expect(await listContainers(path)).toEqual([]);
    expect(await readEnablement('etcd')).toBe('');
    for (const folder of ['journal', 'locks']) {
      expect(readdirSync(`${checkouts}/.atomic/${folder}`)).toEqual([]);
    }
    expect(diffLooks(before, lookAtWholeHost())).toEqual([]);
  });
});

test.each(runtimes)(
  'a container that detaches (PID file) starts, comes back after a SIGKILL, and goes, with $runtime',
  async ({ options }) => {
    const before = lookAtWholeHost();
    const settings = ['--set', 'PORT=8090', '--set=RECEIVER=all of you'];
    await atomic(['install', '--system', hello, '--name=greeter', ...options, ...settings]);
    await command('systemctl', 'start', 'greeter');
    await expectAnswer('http://127.0.0.1:8090/', 'Hello all of you\n');
    for (const whom of ['main', 'all']) {
      const run = await readInvocation('greeter');
      await command('systemctl', 'kill', '--signal=KILL', `--kill-whom=${whom}`, 'greeter');
      await waitForNewRun('greeter', run);
      await expectAnswer('http://127.0.0.1:8090/', 'Hello all of you\n');
    }
    await atomic(['uninstall', 'greeter']);
    expect(diffLooks(before, lookAtWholeHost())).toEqual([]);
  },
);

test('an installed container starts without a registry and without atomic', async () => {
  await atomic(['install', '--system', hello]);
  await registry.kill();
  while ((await runCommand(['findmnt', '/usr/bin/atomic'])).status === 0) {
    await command('umount', '/usr/bin/atomic');
  }
  await expect(runAtomic(['--version'])).rejects.toThrow('EACCES');
  await command('systemctl', 'start', 'hello');
  await expectAnswer('http://127.0.0.1:8081/', 'Hello World\n');
  await command('systemctl', 'stop', 'hello');
});

function pullingLines(name: string, image: BuiltImage, digests: readonly string[]): string {
  const pulling = digests.map((digest) => `Pulling layer ${digest.replace('sha256:', '')}\n`);
  const count = digests.length === 1 ? '1 layer' : `${digests.length} layers`;
  return `${pulling.join('')}Copying blobs: ${count} fetched\n${formatStoredLine(`${name}:latest`, image, digests)}\n`;
}

function installLines(name: string): string {
  return [
    `Extracting to ${checkouts}/${name}.0`,
    'systemctl daemon-reload',
    `systemd-tmpfiles --create /etc/tmpfiles.d/${name}.conf`,
    `systemctl enable ${name}`,
    '',
  ].join('\n');
}

function uninstallLines(name: string): string {
  return [
    `systemctl disable --now ${name}`,
    'systemctl daemon-reload',
    `systemd-tmpfiles --remove /etc/tmpfiles.d/${name}.conf`,
    '',
  ].join('\n');
}

function hideTimes(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'YYYY-MM-DD hh:mm');
}

function shortId(image: BuiltImage): string {
  return image.manifest.digest.slice('sha256:'.length).slice(0, 12);
}

function size(image: BuiltImage): string {
  return `${(image.layers.reduce((sum, layer) => sum + layer.size, 0) / 1e6).toFixed(2)} MB`;
}

function readInfo(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${checkouts}/${name}/info`, 'utf8'));
}

/** etcd answers with what was put, and there is one of it. */
async function expectOneEtcd(): Promise<void> {
  await waitUntil(
    'etcd answers',
    async () => (await command('etcdctl', 'get', key)) === `${key}\n${network}\n`,
  );
  expect((await command('pgrep', '--exact', 'etcd')).trim().split('\n')).toHaveLength(1);
}

async function expectAnswer(url: string, answer: string): Promise<void> {
  await waitUntil(`${url} answers`, async () => (await (await fetch(url)).text()) === answer);
}

/** What the runtime knows, whatever its state. */
async function listContainers(runtime: string): Promise<readonly string[]> {
  return (await command(runtime, 'list', '--quiet')).split('\n').filter((line) => line !== '');
}
