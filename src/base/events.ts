/**
 * What operations tell while they run. They never write to the terminal: `cli/reporter` turns events into lines,
 * bars or JSON. The words of some lines are an interface that scripts match (compatibility N-10, A-01).
 */
export type ProgressEvent =
  /** `image` is the name as the person wrote it. */
  | { kind: 'pull-started'; image: string }
  /** What is missing of the image, by the manifest: `bytes` as in `layer-started`, base first. */
  | { kind: 'pull-planned'; layers: readonly { readonly digest: string; readonly bytes: number }[] }
  /**
   * A layer that is not in the repository yet begins to arrive; `bytes` is its compressed size. Comes again when the
   * layer must be fetched from its beginning once more.
   */
  | { kind: 'layer-started'; digest: string; bytes: number }
  /** `received` counts compressed bytes so far. Lossy: a reporter may drop it. */
  | { kind: 'layer-progress'; digest: string; received: number }
  /** The layer is complete and verified. */
  | { kind: 'layer-finished'; digest: string }
  /** A step without a measure that may take longer than a second, such as "Writing image etcd". */
  | { kind: 'step'; text: string }
  /** `destination` is the absolute path of the new deployment. */
  | { kind: 'extracting'; destination: string }
  /** A systemctl or systemd-tmpfiles command about to run, echoed as it would be typed. */
  | { kind: 'command'; argv: readonly string[] }
  /** Something the person should know that does not stop the operation. */
  | { kind: 'warning'; text: string }
  /** One thing that a container asks of the host, before it is installed or updated. */
  | { kind: 'asks'; text: string }
  /** Words for standard output that belong to the answer, such as `etcd already present`. */
  | { kind: 'notice'; text: string }
  /** Another process holds the lock; `holder` describes it as far as known ("process 4242: atomic install etcd"). */
  | { kind: 'waiting'; object: string; holder: string | undefined }
  /** An interrupted earlier operation was undone or finished. */
  | { kind: 'recovered'; container: string; outcome: 'undone' | 'finished'; operation: string };

export type Report = (event: ProgressEvent) => void;

/** A child process that has ended, for `--debug`. */
export interface EndedProgram {
  readonly argv: readonly string[];
  readonly milliseconds: number;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export type Trace = (program: EndedProgram) => void;
