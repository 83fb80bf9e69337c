import type { DeploymentRecord } from '../../src/containers/container.ts';
import { noHostFiles } from '../../src/containers/render/hostfiles/host-file.ts';
import { toChecksum } from '../../src/image/checksum.ts';

/** The record of a deployment with a service and nothing else. */
export const plainRecord: DeploymentRecord & { readonly ostreeCommit: ReturnType<typeof toChecksum> } = {
  image: 'registry.example.com/etcd',
  revision: 'ab'.repeat(32),
  ostreeCommit: toChecksum('cd'.repeat(32)),
  created: 1_473_343_140,
  values: { NAME: 'etcd', HOST_UID: 0 },
  hasContainerService: true,
  runtime: '/usr/bin/runc',
  hostFiles: noHostFiles,
  volumes: [],
  foreignFolders: [],
  createdFolders: [],
  secrets: {},
  valueOrigins: undefined,
  options: {},
  patches: {},
};
