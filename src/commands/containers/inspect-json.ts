/** The document of `containers inspect --json`. */
import type {
  ContainerDescription,
  DeploymentChanges,
  DeploymentDescription,
  HealthDescription,
} from '../../containers/inspect/container-description.ts';
import { isChecksum } from '../../image/checksum.ts';

export function buildInspectJson(described: readonly ContainerDescription[]): Record<string, unknown> {
  return { schemaVersion: 1, containers: described.map(buildContainerJson) };
}

function buildContainerJson(container: ContainerDescription): unknown {
  const { name, status, problems, operation, service, unit, tmpfiles, isHeld, refused } = container;
  return {
    ...{ name, state: status, problems },
    operation: operation === undefined ? null : { ...operation, phase: operation.phase ?? null },
    service:
      service === undefined
        ? null
        : {
            unit: service.unit,
            load_state: service.loadState,
            active_state: service.activeState,
            sub_state: service.subState,
            result: service.result,
            unit_file_state: service.fileState,
          },
    unit: unit ?? null,
    tmpfiles: tmpfiles ?? null,
    held: isHeld,
    refused_images: refused,
    deployments: container.deployments.map(buildDeploymentJson),
    changes: container.changes === undefined ? null : buildChangesJson(container.changes),
  };
}

function buildDeploymentJson({ number, folder, isActive, installed, problems }: DeploymentDescription) {
  const head = { deployment: number, active: isActive, folder, problems };
  if (installed === undefined) return { ...head, installed: null };
  const { record, origins, hasRecordedOrigins, health, asks } = installed;
  return {
    ...head,
    installed: {
      image: record.image,
      image_id: record.revision,
      ostree_commit: isChecksum(record.ostreeCommit) ? record.ostreeCommit : null,
      created_at: record.created === 0 ? null : new Date(record.created * 1000).toISOString(),
      runtime: record.runtime,
      has_service: record.hasContainerService,
      values: Object.entries(record.values).map(([name, value]) => ({
        ...{ name, value, origin: origins[name] ?? null },
      })),
      origins_recorded: hasRecordedOrigins,
      options: record.options,
      patches: record.patches,
      secrets: record.secrets,
      health: health === undefined ? null : buildHealthJson(health),
      asks: asks ?? null,
      host_files: record.hostFiles.paths.map((path) => ({
        ...{ path, sha256: findChecksum(record.hostFiles.checksums[path]) },
        link: record.hostFiles.links[path] ?? null,
      })),
    },
  };
}

/** `0` for a folder, and for a symlink without a checksum. */
function findChecksum(recorded: string | undefined): string | null {
  return recorded === undefined || recorded === '0' ? null : recorded;
}

function buildHealthJson({ settle, check }: HealthDescription) {
  if (check === undefined) return { settle_seconds: settle, check: null };
  const { probe, interval, timeout, retries, startPeriod } = check;
  const tried =
    probe.kind === 'command'
      ? { command: probe.argv }
      : { [probe.kind]: probe.kind === 'http' ? probe.url : `${probe.host}:${probe.port}` };
  return {
    settle_seconds: settle,
    check: {
      ...tried,
      ...{ interval_seconds: interval, timeout_seconds: timeout, retries, start_period_seconds: startPeriod },
    },
  };
}

/** Also a part of the document of `diff NAME --json`. */
export function buildChangesJson(changes: DeploymentChanges): Record<string, unknown> {
  const { from, to, image, runtime, values, texts, hostFiles, gained, dropped } = changes;
  return {
    ...{ from, to, image: image ?? null, runtime: runtime ?? null },
    values: values.map(({ name, before, after }) => ({ name, before: before ?? null, after: after ?? null })),
    ...{ files: texts, host_files: hostFiles, asks_gained: gained, asks_dropped: dropped },
  };
}
