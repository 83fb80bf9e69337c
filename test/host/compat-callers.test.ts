/** The command lines of the tools that call atomic, word by word, and what they look for in the answers (compatibility A-01). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { onlyAsks } from './support/asks.ts';

let images: ImageSource;
let agent: string;
let mounts: string;

beforeAll(async () => {
  images = await openImageSource();
  agent = await images.push('agent', { exports: serviceExports });
  const config = JSON.parse(serviceExports['config.json.template'] ?? '');
  // The way of the original images: callers give snippets of JSON that begin with a comma.
  const [head = '', tail = ''] = JSON.stringify({ ...config, mounts: ['HERE'] }).split('"HERE"');
  const own = config.mounts.map((mount: unknown) => JSON.stringify(mount)).join(',');
  mounts = await images.push('mounts', {
    exports: {
      ...serviceExports,
      'config.json.template': `${head}${own}$ADDTL_MOUNTS${tail}`,
      'manifest.json': '{"defaultValues":{"WORD":"hello","ADDTL_MOUNTS":""}}',
    },
  });
});
afterAll(() => images.registry.stop());

describe('Ansible, atomic_container', () => {
  const list = [
    'containers',
    'list',
    '--no-trunc',
    '-n',
    '--all',
    '-f',
    'backend=ostree',
    '-f',
    'container=node',
  ];

  test('asks for the version', async () => {
    for (const words of [['-v'], ['--version']]) {
      expect(await runAtomic(words)).toMatchObject({
        stdout: expect.stringMatching(/^atomic \d+\.\d+\.\d+\ncommit \S+\n$/),
        stderr: onlyAsks,
        status: 0,
      });
    }
  });

  test('a container whose name is not in the list counts as absent', async () => {
    expect(await runAtomic(list)).toMatchObject({ stdout: '', stderr: onlyAsks, status: 0 });
  });

  test('installs, and reports a change when it reads "Extracting"', async () => {
    const install = ['install', '--storage=ostree', '--name=node', '--system', '--set=WORD=one two', agent];
    const run = await runAtomic(install);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('Extracting to ') });
    expect(await runAtomic(install)).toMatchObject({
      stdout: 'node already present\n',
      stderr: onlyAsks,
      status: 0,
    });
  });

  test('a container whose name is in the list counts as present', async () => {
    expect(await runAtomic(list)).toMatchObject({
      stdout: expect.stringMatching(
        /^ {3}node +127\.0\.0\.1:\d+\/test\/agent:latest +\/bin\/run\.sh +\S+ \S+ inactive +runc\n$/,
      ),
      stderr: onlyAsks,
      status: 0,
    });
  });

  test('uninstalls', async () => {
    expect(await runAtomic(['uninstall', '--storage=ostree', 'node'])).toMatchObject({
      stderr: onlyAsks,
      status: 0,
    });
    expect(await runAtomic(list)).toMatchObject({ stdout: '', status: 0 });
  });

  test('reads errors from standard error when the status is not 0', async () => {
    expect(await runAtomic(['uninstall', '--storage=ostree', 'node'])).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/^error: System container 'node' is not installed\n/),
      status: 1,
    });
  });
});

describe('OpenShift Ansible, oc_atomic_container', () => {
  const list = ['containers', 'list', '--json', '--all', '-f', 'container=openvswitch'];

  test('reads an empty list', async () => {
    const { stdout, status } = await runAtomic(list);
    expect({ list: JSON.parse(stdout), status }).toEqual({ list: [], status: 0 });
  });

  test('installs with --system-package=no, and compares the name of the image with the one it wants', async () => {
    const install = [
      'install',
      '--system',
      '--system-package=no',
      '--name=openvswitch',
      '--set=WORD=a=b',
      agent,
    ];
    const run = await runAtomic(install);
    expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('Extracting to ') });
    const { stdout } = await runAtomic(list);
    const id = JSON.parse(stdout)[0].image_id;
    expect(JSON.parse(stdout)).toEqual([
      {
        id: 'openvswitch',
        image_id: expect.stringMatching(/^[0-9a-f]{64}$/),
        image_name: agent,
        name: 'openvswitch',
        command: '/bin/run.sh',
        created: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d$/),
        state: 'inactive',
        backend: 'ostree',
        runtime: '/usr/sbin/runc',
        vulnerable: false,
        running: false,
        unit: [],
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
        values: expect.objectContaining({ WORD: 'a=b', NAME: 'openvswitch', IMAGE_ID: id }),
        deployments: [expect.objectContaining({ active: true, image_name: agent })],
        problem: null,
      },
    ]);
  });

  test('uninstalls a container to install it from another image', async () => {
    expect(await runAtomic(['uninstall', 'openvswitch'])).toMatchObject({ stderr: onlyAsks, status: 0 });
  });
});

describe('OpenStack Magnum', () => {
  const base = ['install', '--storage', 'ostree', '--system', '--system-package', 'no'];
  const readConfig = (name: string) =>
    JSON.parse(readFileSync(`/var/lib/containers/atomic/${name}/config.json`, 'utf8'));

  test('pulls from REGISTRY:PORT/NAMESPACE/NAME:TAG', async () => {
    expect(await runAtomic(['pull', '--storage', 'ostree', agent])).toMatchObject({
      stderr: onlyAsks,
      status: 0,
    });
  });

  test('installs with one --set for each value', async () => {
    const sets = ['--set', 'WORD=hi', '--set', 'REQUESTS_CA=/etc/pki/tls/certs/ca-bundle.crt'];
    // The image does not use REQUESTS_CA.
    const run = await runAtomic([...base, ...sets, '--name', 'heat-container-agent', agent]);
    expect(run).toMatchObject({ status: 0 });
    expect(run.stderr).toContain(
      'Warning: --set REQUESTS_CA has no effect: the image does not use REQUESTS_CA\n',
    );
    expect(readConfig('heat-container-agent').process.env).toEqual(['PATH=/bin', 'WORD=hi']);
  });

  test('calls programs of the container by the path NAME.0/rootfs', () => {
    expect(existsSync('/var/lib/containers/atomic/heat-container-agent.0/rootfs/bin/busybox')).toBe(true);
  });

  test('sets ADDTL_MOUNTS to nothing', async () => {
    expect(await runAtomic([...base, '--set=ADDTL_MOUNTS=', '--name', 'kube-proxy', mounts])).toMatchObject({
      status: 0,
    });
    expect(readConfig('kube-proxy').mounts).toHaveLength(2);
  });

  test('sets ADDTL_MOUNTS to JSON that begins with a comma', async () => {
    const mount = {
      type: 'bind',
      source: '/opt/cni',
      destination: '/opt/cni',
      options: ['bind', 'rw', 'slave', 'mode=777'],
    };
    const set = `ADDTL_MOUNTS=,${JSON.stringify(mount)}`;
    expect(await runAtomic([...base, '--set', set, '--name', 'kubelet', mounts])).toMatchObject({
      status: 0,
    });
    expect(readConfig('kubelet').mounts[2]).toEqual(mount);
  });

  test('uninstalls', async () => {
    for (const name of ['heat-container-agent', 'kube-proxy', 'kubelet']) {
      expect(await runAtomic(['uninstall', name])).toMatchObject({ stderr: onlyAsks, status: 0 });
    }
  });
});

test('kubernetes contrib looks for "Pulling layer" in the output of the first pull', async () => {
  const other = await images.push('other', { exports: { ...serviceExports, note: 'another layer' } });
  const { stdout } = await runAtomic(['pull', '--storage=ostree', other]);
  expect(stdout).toMatch(/^Pulling layer [0-9a-f]{64}$/m);
});

test('bash completion asks for images of type ostree and for running containers by runtime', async () => {
  const { stdout } = await runAtomic(['images', 'list', '--no-trunc', '-n', '-f', 'type=ostree']);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/ +/)[0]),
  ).toEqual(['agent', 'mounts', 'other'].map((name) => `${images.registry.address}/test/${name}`));
  expect(await runAtomic(['containers', 'list', '--no-trunc', '-q', '-f', 'runtime=runc'])).toMatchObject({
    stdout: '',
    stderr: onlyAsks,
    status: 0,
  });
});
