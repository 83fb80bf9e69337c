/** Deployments as files, without an image, for code that only reads them. */

import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import type { DeploymentRecord } from '../../src/containers/container.ts';
import { formatInfo } from '../../src/containers/info-file.ts';
import { plainRecord } from '../support/plain-record.ts';
import type { Sandbox } from '../support/sandbox.ts';

/** Writes `CHECKOUTS/NAME.NUMBER` and makes it the active one. */
export async function writeDeployment(
  sandbox: Sandbox,
  name: string,
  options: { readonly number?: 0 | 1; readonly record?: DeploymentRecord; readonly config?: string } = {},
): Promise<void> {
  const { checkouts } = sandbox.locations;
  const folder = `${checkouts}/${name}.${options.number ?? 0}`;
  await mkdir(`${folder}/rootfs`, { recursive: true });
  await writeFile(`${folder}/info`, formatInfo(options.record ?? plainRecord));
  await writeFile(
    `${folder}/config.json`,
    options.config ?? '{"process":{"args":["/usr/bin/etcd","--flag"]}}',
  );
  await rm(`${checkouts}/${name}`, { force: true });
  await symlink(folder, `${checkouts}/${name}`);
}
