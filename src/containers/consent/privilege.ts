/**
 * A privilege on the host that a container asks for. Privileges are computed from the rendered files, not from claims
 * of the image. Two lists can be compared: an update that asks for more needs the consent of a person.
 */

export type Privilege =
  /** Runs as root of the host, or with a group of the host by its number. */
  | { readonly kind: 'user'; readonly subject: 'root' | `group ${number}` }
  /** A capability, such as `CAP_NET_ADMIN`. */
  | { readonly kind: 'capability'; readonly subject: string }
  /** A namespace of the host, such as `network`, or another namespace, by the path of its file. */
  | { readonly kind: 'namespace'; readonly subject: string }
  /** A file or folder of the host inside the container. */
  | { readonly kind: 'host-path'; readonly subject: string; readonly access: PathAccess }
  /** A device: the path of its node, its numbers, or `all devices`. `access` has the letters `r`, `w` and `m`, in this order. */
  | { readonly kind: 'device'; readonly subject: string; readonly access: string }
  /** A protection that is disabled, such as `no seccomp filter`. */
  | { readonly kind: 'unconfined'; readonly subject: string }
  /** A kernel parameter that the container sets. */
  | { readonly kind: 'sysctl'; readonly subject: string }
  /** A program of the host that the OCI runtime runs. */
  | { readonly kind: 'hook'; readonly subject: string }
  /** A command of the unit that does not go through the OCI runtime: `ExecStartPre=/bin/mkdir ...`. */
  | { readonly kind: 'program'; readonly subject: string }
  /** An effect of the unit on other units or on the machine: `RequiredBy=sshd.service`, `FailureAction=reboot`. */
  | { readonly kind: 'host-unit'; readonly subject: string }
  /** A line of tmpfiles.d that changes paths outside the container's own folders. */
  | { readonly kind: 'tmpfiles'; readonly subject: string }
  /** A file on the host; `trusted` when the host runs or trusts files at that path. */
  | { readonly kind: 'host-file'; readonly subject: string; readonly access: 'trusted' | 'plain' };

/** Each one includes those before it. `partly-writable`: read-only, but not the mounts below it. */
const pathAccesses = ['read-only', 'partly-writable', 'writable'] as const;
export type PathAccess = (typeof pathAccesses)[number];

/** Finds the new privileges that no old privilege covers, in the order of `after`. */
export function listWidening(
  before: readonly Privilege[],
  after: readonly Privilege[],
): readonly Privilege[] {
  return after.filter((asked) => !before.some((granted) => covers(granted, asked)));
}

/** Whether `granted` includes `asked`. */
function covers(granted: Privilege, asked: Privilege): boolean {
  if (granted.kind === 'host-path' && asked.kind === 'host-path') {
    // A relative path may go on with `..`, and so lead out.
    const isInside =
      asked.subject === granted.subject ||
      (granted.subject.startsWith('/') && asked.subject.startsWith(withSlash(granted.subject)));
    return isInside && pathAccesses.indexOf(granted.access) >= pathAccesses.indexOf(asked.access);
  }
  if (granted.kind === 'device' && asked.kind === 'device') {
    const isSame = granted.subject === allDevices || granted.subject === asked.subject;
    return isSame && [...asked.access].every((letter) => granted.access.includes(letter));
  }
  if (granted.kind === 'user' && asked.kind === 'user' && granted.subject === 'root') return true;
  if (granted.kind === 'host-file' && asked.kind === 'host-file') {
    return granted.subject === asked.subject && (granted.access === 'trusted' || asked.access === 'plain');
  }
  return granted.kind === asked.kind && granted.subject === asked.subject;
}

export const allDevices = 'all devices';
export const fullAccess = 'rwm';

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
