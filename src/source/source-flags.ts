import type { SourceOptions } from '../core/image.ts';

/** Flags of skopeo's commands that read from one source. */
export function formatSourceFlags(options: SourceOptions): string[] {
  const { credentials, authFile, certDirectory, tlsVerify } = options;
  return [
    ...(credentials === undefined ? [] : [`--creds=${credentials.username}:${credentials.password}`]),
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
