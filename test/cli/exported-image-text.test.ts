import { expect, test } from 'bun:test';
import { formatExportedImage, formatExportedImageJson } from '../../src/commands/images/export-view.ts';
import { type Digest, toDigest } from '../../src/image/digest.ts';
import type { ExportedImage } from '../../src/image/image.ts';

const digest = (digit: string): Digest => toDigest(`sha256:${digit.repeat(64)}`);

const pushed: ExportedImage = {
  reference: 'reg/a:1',
  destination: 'docker://other/a:1',
  manifest: { original: digest('1'), digest: digest('2'), reason: 'it has other layers' },
  config: { original: digest('c'), digest: digest('c'), reason: undefined },
  layers: [{ original: digest('3'), digest: digest('4'), reason: 'why' }],
};
const archived: ExportedImage = {
  ...pushed,
  destination: 'docker-archive:f:reg/a:1',
  manifest: { original: digest('1'), digest: undefined, reason: 'no manifest' },
};

test('a line has the destination and the digest of the image', () => {
  expect(formatExportedImage(pushed)).toBe(`reg/a:1 -> docker://other/a:1, manifest ${digest('2')}\n`);
  expect(formatExportedImage(archived)).toBe(
    `reg/a:1 -> docker-archive:f:reg/a:1, configuration ${digest('c')}\n`,
  );
});

test('--json', () => {
  expect(JSON.parse(formatExportedImageJson(archived))).toEqual({
    schemaVersion: 1,
    image: 'reg/a:1',
    destination: 'docker-archive:f:reg/a:1',
    manifest: { original: digest('1'), digest: null, is_original: false, reason: 'no manifest' },
    config: { original: digest('c'), digest: digest('c'), is_original: true, reason: null },
    layers: [{ original: digest('3'), digest: digest('4'), is_original: false, reason: 'why' }],
  });
});
