/** Images of a real Docker engine and of real `docker save` archives: pulled and installed as the manual shows it. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { atomic, failingAtomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command, runCommand, waitUntil } from './support/commands.ts';
import { readActivity } from './support/services.ts';

const SOCKET = '/run/docker.sock';
const OTHER_SOCKET = '/run/other-docker.sock';
const docker = (...args: readonly string[]): Promise<string> => command('/usr/bin/docker', ...args);

let images: ImageSource;
let etcd: string;
let before: readonly string[];
beforeAll(async () => {
  // The service of the package that the program etcd is from has the name of the container.
  for (const path of ['/etc/init.d/etcd', '/lib/systemd/system/etcd.service']) rmSync(path, { force: true });
  images = await openImageSource();
  etcd = await images.push('etcd', { exports: serviceExports });
  const web = await images.push('web', {
    exports: { ...serviceExports, 'tmpfiles.template': 'D /run/$NAME\n' },
  });
  await startEngine();
  for (const [source, target] of [
    [etcd, 'etcd:latest'],
    [web, 'web:2'],
  ] as const) {
    await command('skopeo', 'copy', '--quiet', `docker://${source}`, `docker-daemon:${target}`);
  }
  before = listSkopeoFiles();
  await docker('save', '--output', '/tmp/web.tar', 'web:2');
  await docker('save', '--output', '/tmp/both.tar', 'web:2', 'etcd');
  await docker('save', '--output', '/tmp/Unnamed.tar', (await docker('images', '--quiet', 'web')).trim());
});
afterAll(async () => {
  await runCommand(['systemctl', 'stop', 'engine']);
  await images[Symbol.asyncDispose]();
});

async function startEngine(): Promise<void> {
  const options = ['--storage-driver=vfs', '--iptables=false', '--ip6tables=false', '--bridge=none'];
  const sockets = [`--host=unix://${SOCKET}`, `--host=unix://${OTHER_SOCKET}`];
  await command('systemd-run', '--quiet', '--unit=engine', 'dockerd', ...options, ...sockets);
  await waitUntil(
    'the engine answers',
    async () => (await runCommand(['/usr/bin/docker', 'info'])).status === 0,
  );
}

/** Temporary files of skopeo must not stay, neither in the store nor in the folders of skopeo. */
function listLeftovers(): string[] {
  const scratch = readdirSync(`${checkouts}/.storage/ostree/tmp`).filter((name) =>
    name.startsWith('atomic-scratch'),
  );
  return [...scratch, ...listSkopeoFiles().filter((name) => !before.includes(name))];
}

function listSkopeoFiles(): string[] {
  return readdirSync('/var/tmp').filter((name) => /^(?:docker-tar|oci)/.test(name));
}

test('docker:etcd after a pull of etcd from the registry fetches no layer, and install uses it', async () => {
  const first = JSON.parse(await atomic(['pull', '--json', etcd]));
  const second = JSON.parse(await atomic(['pull', '--json', 'docker:etcd']));
  expect(second).toMatchObject({
    image: { reference: 'etcd:latest' },
    fetched: [],
    reused: second.image.layers,
  });
  expect(second.image.commit).not.toBe(first.image.commit);
  expect(
    await command(
      'ostree',
      'diff',
      `--repo=${checkouts}/.storage/ostree`,
      first.image.commit,
      second.image.commit,
    ),
  ).toBe('');
  expect(await atomic(['install', '--system', 'docker:etcd'])).toBe(
    [
      `Extracting to ${checkouts}/etcd.0`,
      'systemctl daemon-reload',
      'systemd-tmpfiles --create /etc/tmpfiles.d/etcd.conf',
      'systemctl enable etcd',
      '',
    ].join('\n'),
  );
  await command('systemctl', 'start', 'etcd');
  expect(await readActivity('etcd')).toBe('active');
  await atomic(['uninstall', 'etcd']);
  expect(listLeftovers()).toEqual([]);
});

test('the trust policy is obeyed for the engine', async () => {
  const policy = '/etc/containers/policy.json';
  const kept = readFileSync(policy);
  const accept = [{ type: 'insecureAcceptAnything' }];
  const transports = { 'docker-daemon': { '': [{ type: 'reject' }] } };
  writeFileSync(policy, JSON.stringify({ default: accept, transports }));
  try {
    expect(await runAtomic(['pull', 'docker:web:2'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('rejected by policy'),
    });
  } finally {
    writeFileSync(policy, kept);
  }
  expect(listLeftovers()).toEqual([]);
});

test('an archive of docker save is pulled and installed under the name that it holds', async () => {
  const stdout = await atomic(['install', '--system', 'dockertar:/tmp/web.tar']);
  expect(stdout.split('\n').filter((line) => !line.startsWith('Pulling layer'))).toEqual([
    'Image dockertar:/tmp/web.tar is being pulled to ostree ...',
    expect.stringMatching(/^Copying blobs: \d+ layers? fetched$/),
    expect.stringMatching(/^Stored web:2, id [0-9a-f]{12}, \d+ of \d+ layers? fetched, .*B$/),
    `Extracting to ${checkouts}/web-2.0`,
    'systemctl daemon-reload',
    'systemd-tmpfiles --create /etc/tmpfiles.d/web-2.conf',
    'systemctl enable web-2',
    '',
  ]);
  const [listed] = JSON.parse(await atomic(['containers', 'list', '-a', '--json']));
  expect(listed).toMatchObject({ id: 'web-2', image_name: 'web:2', state: 'inactive' });
  // A file is read again at each install; the layers that are there are not stored again.
  expect(await atomic(['install', '--system', '--name=more', 'dockertar:/tmp/web.tar'])).toContain(
    'web:2 is up to date\nExtracting',
  );
  await atomic(['uninstall', 'more']);
  await atomic(['uninstall', 'web-2']);
  expect(listLeftovers()).toEqual([]);
});

test('the same image from the engine, from an archive and from one of several has one id', async () => {
  const pull = async (...args: readonly string[]): Promise<string> => {
    return JSON.parse(await atomic(['pull', '--json', ...args])).image.id;
  };
  const id = await pull('docker:web:2');
  expect(await pull('dockertar:/tmp/both.tar:web:2')).toBe(id);
  expect(await pull('--as', 'other:1', 'dockertar:/tmp/Unnamed.tar')).toBe(id);
  await command('gzip', '--force', '--keep', '/tmp/web.tar');
  expect(await pull('dockertar:/tmp/web.tar.gz')).toBe(id);
  const references = JSON.parse(await atomic(['images', 'list', '--json'])).map(
    (image: { reference: string }) => image.reference,
  );
  expect(references).toEqual([etcd, 'etcd:latest', 'other:1', 'web:2']);
});

test('relative paths begin at the current folder', async () => {
  const argv = ['sh', '-c', 'cd /tmp && exec atomic pull --json --as relative dockertar:web.tar'];
  expect(JSON.parse(await command(...argv)).image.reference).toBe('relative:latest');
});

test('an archive of several, and one whose image has no name that can be stored', async () => {
  expect(await failingAtomic(2, ['pull', 'dockertar:/tmp/both.tar'])).toMatch(
    /^error: pulling dockertar:\/tmp\/both\.tar: reading \/tmp\/both\.tar: it holds several images: .*etcd:latest.*\nhint: Name one of them, for example dockertar:\/tmp\/both\.tar:/,
  );
  expect(await failingAtomic(2, ['install', '--system', 'dockertar:/tmp/Unnamed.tar'])).toBe(
    "error: pulling dockertar:/tmp/Unnamed.tar: naming the image of docker-archive:/tmp/Unnamed.tar:@0: 'Unnamed' is not a name for an image\nhint: Store it under another name: atomic pull --as NAME[:TAG] SOURCE\n",
  );
});

test('an image that the engine does not have, DOCKER_HOST, and a stopped engine', async () => {
  const notThere = await runAtomic(['pull', 'docker:etcd:9']);
  expect([notThere.status, notThere.stderr.split('\n').at(-2)]).toEqual([
    1,
    'hint: List the images of Docker: docker images',
  ]);
  const nowhere = await runAtomic(['pull', 'docker:etcd'], {
    env: { DOCKER_HOST: 'unix:///run/nowhere.sock' },
  });
  expect([nowhere.status, nowhere.stderr.split('\n').at(-2)]).toEqual([
    1,
    'hint: Start Docker: systemctl start docker. If it listens on another address, set DOCKER_HOST.',
  ]);
  rmSync(SOCKET);
  await atomic(['pull', 'docker:etcd'], { env: { DOCKER_HOST: `unix://${OTHER_SOCKET}` } });
  await command('systemctl', 'stop', 'engine');
  const stopped = await runAtomic(['pull', 'docker:etcd']);
  expect([stopped.status, stopped.stderr.split('\n').at(-2)]).toEqual([
    1,
    'hint: Start Docker: systemctl start docker. If it listens on another address, set DOCKER_HOST.',
  ]);
  expect(listLeftovers()).toEqual([]);
});
