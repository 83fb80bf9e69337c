import type { SourceOptions } from '../core/image.ts';

/** Flags of skopeo's commands that read from one source; credentials go through a file, see `credentials-file.ts`. */
export function formatSourceFlags(options: SourceOptions): string[] {
  const { authFile, certDirectory, tlsVerify } = options;
  return [
    ...(authFile === undefined ? [] : [`--authfile=${authFile}`]),
    ...(certDirectory === undefined ? [] : [`--cert-dir=${certDirectory}`]),
    ...(tlsVerify === undefined ? [] : [`--tls-verify=${tlsVerify}`]),
  ];
}

/** The same for `skopeo copy`, whose flags tell the source from the destination. */
export function formatCopySourceFlags(options: SourceOptions): string[] {
  return formatSourceFlags(options).map((flag) =>
    flag.startsWith('--authfile=') ? flag : flag.replace(/^--/, '--src-'),
  );
}

/** The same for the destination of `skopeo copy`. */
export function formatCopyDestinationFlags(options: SourceOptions): string[] {
  return formatSourceFlags(options).map((flag) => flag.replace(/^--/, '--dest-'));
}
