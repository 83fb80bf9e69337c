/** The health check and the settling time of an update: the options of the person, otherwise the values of the image. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import type { DeploymentRecord } from '../../src/containers/container.ts';
import { parseInfo } from '../../src/containers/info-file.ts';
import { parseContainerName } from '../../src/containers/render/container-name.ts';
import { chooseHealth, type HealthChoice } from '../../src/containers/update/choose-health.ts';
import { pullImage } from '../../src/store/pull/pull.ts';
import { buildImage } from '../support/oci-image.ts';
import { writeLayout } from '../support/oci-layout.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { createStore, TEST_TIMEOUT_MS } from '../support/store/store-fixture.ts';
import { tree } from '../support/tree.ts';

setDefaultTimeout(TEST_TIMEOUT_MS);

let store: Sandbox;
beforeAll(async () => {
  store = await createStore([]);
});
afterAll(() => store.remove());

const manifest = tree`
  d exports 0755
  f exports/manifest.json 0644 {"version": "1.0", "settle": 3, "healthCheck": {"tcp": "127.0.0.1:80"}}
`;
const Healthcheck = { Test: ['CMD', '/check'], Interval: 7e9 };
const byImage: HealthChoice = { settle: undefined, checksHealth: true };

/** Stores an image, and returns the record of a deployment of it. */
async function deploy(
  name: string,
  files: ReturnType<typeof tree>,
  config: object,
): Promise<DeploymentRecord> {
  const layout = await writeLayout(store.folder.join(name), buildImage({ layers: [files], config }));
  const { image } = await pullImage(store.host, layout, {}, name);
  const info = { image: name, revision: image.id, 'ostree-commit': image.commit };
  return parseInfo(JSON.stringify(info), '/info', '/usr/bin/runc');
}
const choose = (record: DeploymentRecord, choice = byImage) =>
  chooseHealth(store.host, parseContainerName('web'), record, choice);

test('the check of manifest.json, before that of the configuration', async () => {
  const record = await deploy('both', manifest, { Healthcheck });
  expect(await choose(record)).toMatchObject({
    settle: 3,
    check: { probe: { kind: 'tcp', host: '127.0.0.1', port: 80 } },
  });
  expect(await choose(record, { settle: 9, checksHealth: false })).toMatchObject({
    settle: 9,
    check: undefined,
  });
});

test('the check of the configuration', async () => {
  const record = await deploy('config', tree`f a 0644`, { Healthcheck });
  expect(await choose(record)).toMatchObject({
    settle: 5,
    check: { probe: { kind: 'command', argv: ['/check'] }, interval: 7, retries: 3 },
  });
});

test('a broken check of the configuration: the error names the option that leaves it out', async () => {
  const record = await deploy('broken', tree`f a 0644`, { Healthcheck: { Test: 'CMD' } });
  await expect(choose(record)).rejects.toMatchObject({
    code: 'MANIFEST_INVALID',
    message: expect.stringContaining('config.Healthcheck.Test must be an array'),
    hint: 'The image is broken; build it again, or use --no-health-check.',
  });
  expect(await choose(record, { settle: undefined, checksHealth: false })).toMatchObject({
    check: undefined,
  });
});
