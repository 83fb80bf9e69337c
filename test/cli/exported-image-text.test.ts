import { expect, test } from 'bun:test';
import { formatExportedImage, formatExportedImageJson } from '../../src/commands/images/export-view.ts';
import type { ExportedImage } from '../../src/image/exported-image.ts';

const pushed: ExportedImage = {
  reference: 'reg/a:1',
  destination: 'docker://other/a:1',
  manifest: { original: 'sha256:1', digest: 'sha256:2', reason: 'it has other layers' },
  config: { original: 'sha256:c', digest: 'sha256:c', reason: undefined },
  layers: [{ original: 'sha256:3', digest: 'sha256:4', reason: 'why' }],
};
const archived: ExportedImage = {
  ...pushed,
  destination: 'docker-archive:f:reg/a:1',
  manifest: { original: 'sha256:1', digest: undefined, reason: 'no manifest' },
};

test('a line says where the image is and by which digest', () => {
  expect(formatExportedImage(pushed)).toBe('reg/a:1 -> docker://other/a:1, manifest sha256:2\n');
  expect(formatExportedImage(archived)).toBe('reg/a:1 -> docker-archive:f:reg/a:1, configuration sha256:c\n');
});

test('--json', () => {
  expect(JSON.parse(formatExportedImageJson(archived))).toEqual({
    schemaVersion: 1,
    image: 'reg/a:1',
    destination: 'docker-archive:f:reg/a:1',
    manifest: { original: 'sha256:1', digest: null, is_original: false, reason: 'no manifest' },
    config: { original: 'sha256:c', digest: 'sha256:c', is_original: true, reason: null },
    layers: [{ original: 'sha256:3', digest: 'sha256:4', is_original: false, reason: 'why' }],
  });
});
