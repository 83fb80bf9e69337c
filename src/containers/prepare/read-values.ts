/** The values of the variables of a new deployment. */
import type { Host } from '../../host/host.ts';
import { readMachineProc } from '../../host/machine-proc.ts';
import type { Runtime } from '../../host/runtime/runtime.ts';
import type { StoredImage } from '../../image/image.ts';
import type { DeploymentRecord, InstallRequest } from '../container.ts';
import type { ContainerName } from '../render/container-name.ts';
import { buildSecretValues } from '../render/secrets/secret-option.ts';
import type { TemplateValues } from '../render/values/template.ts';
import { buildInstallValues } from '../render/values/values.ts';
import type { ImageExports } from './read-exports.ts';

interface ValueSubject {
  readonly request: InstallRequest;
  readonly name: ContainerName;
  readonly image: StoredImage;
  readonly imageName: string;
  readonly runtime: Runtime;
  readonly previous?: DeploymentRecord;
}

/** Collects the facts, and builds all values of a deployment. */
export async function readValues(
  host: Host,
  { request, name, image, imageName, runtime, previous }: ValueSubject,
  {
    exports,
    deployment,
    pidfileMode,
  }: {
    readonly exports: ImageExports;
    readonly deployment: string;
    readonly pidfileMode: boolean;
  },
): Promise<TemplateValues> {
  const { variables, defaultValues } = exports.manifest;
  return buildInstallValues(
    {
      name,
      deployment,
      runtime: runtime.path,
      runtimeSupportsSystemdCgroup: runtime.supportsSystemdCgroup,
      pidfileMode,
      uid: host.uid,
      gid: host.gid,
      imageName,
      imageId: image.id,
      uuid: String(previous?.values.UUID ?? crypto.randomUUID()),
      lastCapability: Number(await readMachineProc('/proc/sys/kernel/cap_last_cap')),
      program: host.program,
    },
    { ...request.values, ...buildSecretValues(request.secrets, variables, request.values) },
    defaultValues,
  );
}
