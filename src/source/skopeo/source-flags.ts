import type { SourceOptions } from '../../image/image.ts';

/** Options for skopeo: those of the user, and those that this program adds. */
export interface SkopeoOptions extends SourceOptions {
  /** Folder for large temporary files of skopeo. Without it skopeo uses `/var/tmp`, where a kill leaves them. */
  readonly temporaryFolder?: string;
  /** Address of the engine for `docker-daemon:`, `unix:///run/docker.sock`. */
  readonly daemonHost?: string;
  /** `on-copy`: this call ignores the trust policy, because the private copy applies it. */
  readonly trust?: 'on-copy';
}

/** Formats the flags before the subcommand of skopeo. */
export function formatGlobalFlags({ platform, temporaryFolder, trust }: SkopeoOptions): string[] {
  return [
    ...(trust === undefined ? [] : ['--insecure-policy']),
    ...(temporaryFolder === undefined ? [] : [`--tmpdir=${temporaryFolder}`]),
    ...(platform === undefined
      ? []
      : [`--override-os=${platform.os}`, `--override-arch=${platform.architecture}`]),
    ...(platform?.variant === undefined ? [] : [`--override-variant=${platform.variant}`]),
  ];
}

/** Formats the flags of subcommands that read from one source. Credentials are in a file, see `credentials-file.ts`. */
export function formatSourceFlags(options: SkopeoOptions): string[] {
  const { authFile, certDirectory, tlsVerify, daemonHost } = options;
  return [
    ...(authFile === undefined ? [] : [`--authfile=${authFile}`]),
    ...(certDirectory === undefined ? [] : [`--cert-dir=${certDirectory}`]),
    ...(tlsVerify === undefined ? [] : [`--tls-verify=${tlsVerify}`]),
    ...(daemonHost === undefined ? [] : [`--daemon-host=${daemonHost}`]),
  ];
}

/** Formats the same flags for the source of `skopeo copy`. */
export function formatCopySourceFlags(options: SkopeoOptions): string[] {
  return formatSourceFlags(options).map((flag) =>
    flag.startsWith('--authfile=') ? flag : flag.replace(/^--/, '--src-'),
  );
}

/** Formats the same flags for the destination of `skopeo copy`. */
export function formatCopyDestinationFlags(options: SourceOptions): string[] {
  return formatSourceFlags(options).map((flag) => flag.replace(/^--/, '--dest-'));
}
