import { expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { listDeployments } from '../../src/containers/list-deployments.ts';
import { createSandbox } from '../support/sandbox.ts';

test('all complete deployments, active or not', async () => {
  await using sandbox = await createSandbox();
  const { checkouts } = sandbox.locations;
  expect(await listDeployments(sandbox.host)).toEqual([]);
  for (const folder of ['web.0', 'web.1', 'broken.0', 'gone.0', '.new.0.new']) {
    mkdirSync(`${checkouts}/${folder}`, { recursive: true });
    const image = folder === 'broken.0' ? 'not JSON' : JSON.stringify({ image: folder, revision: 'ab' });
    if (folder !== 'gone.0') writeFileSync(`${checkouts}/${folder}/info`, image);
  }
  symlinkSync(`${checkouts}/web.1`, `${checkouts}/web`);
  symlinkSync(`${checkouts}/broken.0`, `${checkouts}/broken`);
  const found = await listDeployments(sandbox.host);
  expect(found.map(({ record, ...rest }) => ({ ...rest, image: record.image }))).toEqual([
    {
      name: 'web',
      number: 0,
      folder: `${checkouts}/web.0`,
      isActive: false,
      image: 'web.0',
      reference: 'web.0:latest',
    },
    {
      name: 'web',
      number: 1,
      folder: `${checkouts}/web.1`,
      isActive: true,
      image: 'web.1',
      reference: 'web.1:latest',
    },
  ]);
});
