/**
 * Lists the compressors that may have made a layer's blob. The content does not determine the bytes of a compressed
 * file: each program, and each of its levels, produces other bytes. These compressors make nearly all layers.
 */
import type { LayerCompression } from '../../../image/manifest.ts';

export type Compressor =
  /** No compression. */
  | { readonly kind: 'none' }
  /** `compress/gzip` of Go's own library at its default level: Docker, BuildKit, containerd. */
  | { readonly kind: 'go' }
  /** The installed skopeo: podman, buildah and skopeo of about the same version. */
  | { readonly kind: 'skopeo'; readonly format: 'gzip' | 'zstd' }
  /** The machine's zlib: Jib, Bazel, Python. */
  | { readonly kind: 'zlib'; readonly level: number }
  /** The runtime's zlib. */
  | { readonly kind: 'zlib-ng'; readonly level: number }
  /** libzstd; `isSized` says whether it knows the size of the content beforehand. */
  | { readonly kind: 'libzstd'; readonly isSized: boolean };

const GZIP_HEADER_BYTES = 10;

const zlibLevel6: readonly Compressor[] = [
  { kind: 'zlib', level: 6 },
  { kind: 'zlib-ng', level: 6 },
];
const goPrograms: readonly Compressor[] = [{ kind: 'go' }, { kind: 'skopeo', format: 'gzip' }];
const zstdPrograms: readonly Compressor[] = [
  { kind: 'libzstd', isSized: true },
  { kind: 'skopeo', format: 'zstd' },
  { kind: 'libzstd', isSized: false },
];

/** Offsets in the header of gzip (RFC 1952, 2.3.1). Programs write the effort and the operating system there. */
const FLAGS_OFFSET = 3;
const MTIME = [4, 8] as const;
const EFFORT_OFFSET = 8;
const SYSTEM_OFFSET = 9;
const MOST_EFFORT = 2;
const LEAST_EFFORT = 4;
const UNKNOWN_SYSTEM = 255;
/** The year 1 in 32 bits: the mark of the library in podman, buildah and skopeo. */
const SKOPEO_MTIME = '00096e88';

/**
 * @param start first bytes of the blob, if they are known
 * @returns compressors, the likeliest first; may be empty
 */
export function planCompressors(
  compression: LayerCompression,
  start: Buffer | undefined,
): readonly Compressor[] {
  switch (compression) {
    case 'none':
      return [{ kind: 'none' }];
    case 'zstd':
      return zstdPrograms;
    case 'gzip':
      return start === undefined ? [...goPrograms, ...zlibLevel6] : readMaker(start);
  }
}

function readMaker(start: Buffer): readonly Compressor[] {
  if (start.length < GZIP_HEADER_BYTES) return [];
  if (start.toString('hex', ...MTIME) === SKOPEO_MTIME) return [{ kind: 'skopeo', format: 'gzip' }];
  const zlibs = chooseZlibs(start[EFFORT_OFFSET] ?? 0);
  // The Go programs write neither names nor comments.
  return start[SYSTEM_OFFSET] === UNKNOWN_SYSTEM && start[FLAGS_OFFSET] === 0
    ? [...goPrograms, ...zlibs]
    : zlibs;
}

function chooseZlibs(effort: number): readonly Compressor[] {
  switch (effort) {
    case MOST_EFFORT:
      return [
        { kind: 'zlib', level: 9 },
        { kind: 'zlib-ng', level: 9 },
      ];
    case LEAST_EFFORT:
      return [{ kind: 'zlib', level: 1 }];
    default:
      // Some programs write 0 for every level.
      return [...zlibLevel6, { kind: 'zlib', level: 9 }];
  }
}

/** @returns the name of a compressor for messages */
export function describeCompressor(compressor: Compressor): string {
  switch (compressor.kind) {
    case 'none':
      return 'no compression';
    case 'go':
      return "Go's gzip";
    case 'skopeo':
      return `skopeo's ${compressor.format}`;
    case 'zlib':
    case 'zlib-ng':
      return `${compressor.kind} level ${compressor.level}`;
    case 'libzstd':
      return 'libzstd';
  }
}
