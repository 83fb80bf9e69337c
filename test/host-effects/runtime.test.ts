import { expect, test } from 'bun:test';
import { copyFile, writeFile } from 'node:fs/promises';
import { readPidfileSupport, readRuntime, removeStaleState } from '../../src/host/runtime/runtime.ts';
import { createSandbox, type SandboxOptions } from '../support/sandbox.ts';

const PATH = '/usr/sbin:/usr/bin';

test.each<[string, string | undefined, SandboxOptions, string, boolean]>([
  ['requested by path', '/usr/bin/crun', { settings: { runtime: '/usr/sbin/runc' } }, '/usr/bin/crun', true],
  ['requested by name', 'crun', {}, '/usr/bin/crun', true],
  [
    'of the settings',
    undefined,
    { settings: { runtime: '/usr/bin/crun' }, env: { RUNC_PATH: '/bin/ls' } },
    '/usr/bin/crun',
    true,
  ],
  ['of the environment', undefined, { env: { RUNC_PATH: '/usr/bin/crun' } }, '/usr/bin/crun', true],
  ['runc when nothing is said', undefined, {}, '/usr/sbin/runc', true],
  ['any program (compatibility N-09)', '/bin/ls', {}, '/bin/ls', false],
])('%s', async (_, requested, options, path, supportsSystemdCgroup) => {
  await using sandbox = await createSandbox({
    ...options,
    env: { PATH, RUNC_PATH: undefined, ...options.env },
  });
  expect(await readRuntime(sandbox.host, requested)).toEqual({ path, supportsSystemdCgroup });
});

test('a relative path becomes absolute', async () => {
  await using sandbox = await createSandbox();
  await copyFile('/bin/true', sandbox.folder.join('mine'));
  const back = process.cwd();
  process.chdir(sandbox.folder.path);
  try {
    expect((await readRuntime(sandbox.host, './mine')).path).toBe(sandbox.folder.join('mine'));
  } finally {
    process.chdir(back);
  }
});

test.each([
  ['/nonexistent/runc', 'Install it: apt install runc (Debian), dnf install runc (Fedora).'],
  ['/etc/passwd', 'Give the path of an OCI runtime, such as /usr/bin/crun.'],
  ['crun-without-package', 'Give the path of an OCI runtime, such as /usr/bin/crun.'],
])('%s is not installed', async (requested, hint) => {
  await using sandbox = await createSandbox();
  expect(await readRuntime(sandbox.host, requested).catch((error: unknown) => error)).toMatchObject({
    code: 'TOOL_MISSING',
    message: `Cannot install the container: the runtime ${requested} is not installed`,
    hint,
  });
});

test('a runtime that is killed gives no answer', async () => {
  await using sandbox = await createSandbox();
  const path = sandbox.folder.join('dying');
  await writeFile(path, '#!/bin/sh\necho " --systemd-cgroup --pid-file"\nkill -KILL $$\n', { mode: 0o755 });
  const caught = (error: unknown) => error;
  const killed = { code: 'COMMAND_FAILED', details: { signal: 'SIGKILL' } };
  expect(await readRuntime(sandbox.host, path).catch(caught)).toMatchObject(killed);
  const runtime = { path, supportsSystemdCgroup: true };
  expect(await readPidfileSupport(sandbox.host, runtime).catch(caught)).toMatchObject(killed);
  expect(await removeStaleState(sandbox.host, path, 'web').catch(caught)).toMatchObject(killed);
});

test.each([
  ['/usr/sbin/runc', true],
  ['/usr/bin/crun', true],
  ['/bin/ls', false],
])('%s run --pid-file: %p', async (path, expected) => {
  await using sandbox = await createSandbox();
  expect(await readPidfileSupport(sandbox.host, { path, supportsSystemdCgroup: true })).toBe(expected);
});
