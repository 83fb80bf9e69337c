import type { ImageDescription } from '../../image/image-description.ts';
import { buildHistory } from '../../image/image-history.ts';
import { buildStepJson } from './history-view.ts';

/**
 * Builds the document of one image for `images inspect`. Unknown values are null.
 *
 * @param usedBy names of containers
 */
export function buildImageDocument(
  { image, names, digest, mediaType, annotations, layers, config, details, signatures }: ImageDescription,
  usedBy: readonly string[],
): Record<string, unknown> {
  return {
    reference: image.reference,
    names,
    id: image.id,
    digest: digest ?? null,
    config_digest: image.configDigest ?? null,
    media_type: mediaType,
    ostree_commit: image.commit,
    source: image.source ?? null,
    stored_at: image.created.toISOString(),
    created_at: details.created?.toISOString() ?? null,
    platform: details.platform,
    virtual_size_bytes: image.virtualSize ?? null,
    layers: layers.map((layer) => ({
      digest: layer.digest,
      diff_id: layer.diffId ?? null,
      size_bytes: layer.size,
      uncompressed_size_bytes: layer.uncompressedSize ?? null,
      media_type: layer.mediaType,
    })),
    config: {
      entrypoint: config.entrypoint,
      cmd: config.cmd,
      env: config.env,
      user: config.user,
      working_directory: config.workingDirectory,
      labels: config.labels,
      stop_signal: config.stopSignal ?? null,
    },
    annotations,
    history: buildHistory(details.history, layers).map(buildStepJson),
    signatures,
    used_by: usedBy,
  };
}
