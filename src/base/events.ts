/**
 * The reports of running operations. Operations never write to the terminal: `cli/progress/reporter.ts` turns events
 * into lines, bars or JSON. Scripts match the words of some lines (compatibility N-10, A-01).
 */
export type ProgressEvent =
  /** `image` is the name as typed. */
  | { kind: 'pull-started'; image: string }
  /** The layers that the pull will fetch, base first; `bytes` as in `layer-started`. */
  | { kind: 'pull-planned'; layers: readonly { readonly digest: string; readonly bytes: number }[] }
  /**
   * The transfer of a layer begins; `bytes` is its compressed size. The event is repeated when the transfer starts again
   * from the beginning.
   */
  | { kind: 'layer-started'; digest: string; bytes: number }
  /** `received` is the number of compressed bytes so far. A reporter may drop these events. */
  | { kind: 'layer-progress'; digest: string; received: number }
  /** The layer is complete and verified. */
  | { kind: 'layer-finished'; digest: string }
  /** A pull has ended. `layers` counts different layers, `bytes` are those of the fetched ones. */
  | {
      kind: 'image-stored';
      reference: string;
      /** Hex digits. */
      id: string;
      isUpToDate: boolean;
      layers: number;
      fetched: number;
      bytes: number;
    }
  /** A step that may take longer than a second and cannot be measured, such as "Writing image etcd". */
  | { kind: 'step'; text: string }
  /** `destination` is the absolute path of the new deployment. */
  | { kind: 'extracting'; destination: string }
  /** A systemctl or systemd-tmpfiles command is about to run. */
  | { kind: 'command'; argv: readonly string[] }
  /** A problem that does not stop the operation. */
  | { kind: 'warning'; text: string }
  /** A line for a person on standard error: the log of a service, what is waited for, the next command. */
  | { kind: 'remark'; text: string }
  /** One privilege that a container asks of the host, before it is installed or updated. */
  | { kind: 'asks'; text: string }
  /** A line of the answer for standard output, such as `etcd already present`. */
  | { kind: 'notice'; text: string }
  /** Another process holds a lock; `holder` describes it where known ("process 4242: atomic install etcd"). */
  | { kind: 'waiting'; object: string; holder: string | undefined }
  /** An interrupted earlier operation was undone or finished. */
  | { kind: 'recovered'; container: string; outcome: 'undone' | 'finished'; operation: string };

export type Report = (event: ProgressEvent) => void;

/** A child process that has ended, for `--debug`. */
export interface EndedProgram {
  readonly argv: readonly string[];
  readonly milliseconds: number;
  /** `undefined` when a signal ended the process. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

export type Trace = (program: EndedProgram) => void;
