import { formatJson } from '../../cli/output/format-json.ts';
import type { ExportedImage, ExportedPart } from '../../image/image.ts';

/** Formats one line: the destination of the image, and its digest there. */
export function formatExportedImage({ reference, destination, manifest, config }: ExportedImage): string {
  const digest =
    manifest.digest === undefined ? `configuration ${config.digest}` : `manifest ${manifest.digest}`;
  return `${reference} -> ${destination}, ${digest}\n`;
}

export function formatExportedImageJson(exported: ExportedImage): string {
  const { reference, destination, manifest, config, layers } = exported;
  return formatJson({
    schemaVersion: 1,
    image: reference,
    destination,
    manifest: buildPart(manifest),
    config: buildPart(config),
    layers: layers.map(buildPart),
  });
}

function buildPart({ original, digest, reason }: ExportedPart): Record<string, unknown> {
  return { digest: digest ?? null, original, is_original: digest === original, reason: reason ?? null };
}
