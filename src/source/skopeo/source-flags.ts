import type { SourceOptions } from '../../image/image.ts';

/** What skopeo is told beside the person's options. */
export interface SkopeoOptions extends SourceOptions {
  /** Folder for files that skopeo does not want in memory; without it they go to `/var/tmp`, where a kill leaves them. */
  readonly temporaryFolder?: string;
  /** The engine that `docker-daemon:` asks, `unix:///run/docker.sock`. */
  readonly daemonHost?: string;
  /** Where the image is judged by the trust policy, when it is not by this call but on the way into a private copy. */
  readonly trust?: 'on-copy';
}

/** Flags of skopeo in front of the subcommand. */
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

/** Flags of skopeo's commands that read from one source; credentials go through a file, see `credentials-file.ts`. */
export function formatSourceFlags(options: SkopeoOptions): string[] {
  const { authFile, certDirectory, tlsVerify, daemonHost } = options;
  return [
    ...(authFile === undefined ? [] : [`--authfile=${authFile}`]),
    ...(certDirectory === undefined ? [] : [`--cert-dir=${certDirectory}`]),
    ...(tlsVerify === undefined ? [] : [`--tls-verify=${tlsVerify}`]),
    ...(daemonHost === undefined ? [] : [`--daemon-host=${daemonHost}`]),
  ];
}

/** The same for `skopeo copy`, whose flags tell the source from the destination. */
export function formatCopySourceFlags(options: SkopeoOptions): string[] {
  return formatSourceFlags(options).map((flag) =>
    flag.startsWith('--authfile=') ? flag : flag.replace(/^--/, '--src-'),
  );
}

/** The same for the destination of `skopeo copy`. */
export function formatCopyDestinationFlags(options: SourceOptions): string[] {
  return formatSourceFlags(options).map((flag) => flag.replace(/^--/, '--dest-'));
}
