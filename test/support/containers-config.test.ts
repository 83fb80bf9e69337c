import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { type ContainersConfig, writeContainersConfig } from './containers-config.ts';
import { buildImage } from './oci-image.ts';
import { type Registry, startRegistry } from './registry.ts';
import { pushImage } from './registry-push.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary.ts';
import { tree } from './tree.ts';

const credentials = { username: 'tester', password: 'secret' };
let folder: TemporaryFolder;
let registry: Registry;
let complete: ContainersConfig;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  registry = await startRegistry({ credentials });
  await pushImage(registry, 'team/tool', buildImage({ layers: [tree`f etc/one 0644 1`] }));
  complete = { insecure: [registry.address], credentials: { [registry.address]: credentials } };
});
afterAll(async () => {
  await registry.stop();
  await folder.remove();
});

async function copy(
  name: string,
  config: ContainersConfig,
): Promise<{ status: number | null; stderr: string }> {
  const env = await writeContainersConfig(folder.join(name), config);
  const args = [
    'copy',
    '--quiet',
    `docker://${registry.address}/team/tool`,
    `oci:${folder.join(name, 'copy')}:latest`,
  ];
  const { status, stderr } = spawnSync('skopeo', args, { env: { ...process.env, ...env }, encoding: 'utf8' });
  return { status, stderr };
}

test('skopeo copies with the address and the credentials of the files', async () => {
  expect(await copy('complete', complete)).toEqual({ status: 0, stderr: '' });
});

test.each<[string, Partial<ContainersConfig>, RegExp]>([
  ['insecure', { insecure: [] }, /server gave HTTP response to HTTPS client/],
  ['credentials', { credentials: {} }, /unauthorized|authentication required/],
  ['policy', { policy: { default: [{ type: 'reject' }] } }, /rejected by policy/],
])('without the right %s skopeo fails', async (name, change, message) => {
  const { status, stderr } = await copy(name, { ...complete, ...change });
  expect(stderr).toMatch(message);
  expect(status).toBe(1);
});
