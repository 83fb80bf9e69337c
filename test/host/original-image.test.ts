/** An image and a container of the original tool on a host can still be used (compatibility S-01). */
import { expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { atomic, runAtomic } from '../support/atomic.ts';
import { deployAsOriginal, storeAsOriginal } from '../support/store/original-store.ts';
import { createTemporaryFolder } from '../support/temporary.ts';
import { buildTestImage, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { command } from './support/commands.ts';

const repository = `${checkouts}/.storage/ostree`;

test('an image of the original is installed, started and uninstalled', async () => {
  await using folder = await createTemporaryFolder('original');
  const store = { folder, locations: { repository, checkouts } };
  const image = buildTestImage({ exports: serviceExports });
  const commit = storeAsOriginal(store, 'team/agent:latest', image, { hasRecords: true });
  deployAsOriginal(store, 'old', { reference: 'team/agent', commit, image });

  expect(await atomic(['images', 'info', 'team/agent'])).toContain('WORD: ');
  expect(await atomic(['install', '--system', '--name', 'agent', 'team/agent'])).toStartWith(
    `Extracting to ${checkouts}/agent.0\n`,
  );
  expect(existsSync(`${checkouts}/agent/rootfs/bin/busybox`)).toBe(true);
  await command('systemctl', 'start', 'agent');
  expect(await atomic(['containers', 'list', '-q'])).toContain('agent\n');
  expect(await atomic(['diff', 'old', 'agent'])).toBe('');

  rmSync(`${checkouts}/old/rootfs/bin/run.sh`);
  writeFileSync(`${checkouts}/old/rootfs/bin/run.sh`, 'damage');
  expect(await runAtomic(['images', 'verify'])).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('old.0: /bin/run.sh is changed'),
  });
  await atomic(['images', 'verify', '--repair']);
  expect(readFileSync(`${checkouts}/old/rootfs/bin/run.sh`)).toEqual(
    readFileSync(`${checkouts}/agent/rootfs/bin/run.sh`),
  );

  await command('systemctl', 'stop', 'agent');
  await atomic(['uninstall', 'agent', 'old']);
  await atomic(['images', 'delete', '-f', 'team/agent']);
  await atomic(['images', 'prune']);
  expect(await command('ostree', 'refs', `--repo=${repository}`)).toBe('');
});
