/** Formats the privileges that a container asks for, as lines for a person. */

import { toPrintable } from '../../base/printable.ts';
import { fullAccess, type PathAccess, type Privilege } from './privilege.ts';

const accessWords: Readonly<Record<PathAccess, string>> = {
  'read-only': 'read-only',
  'partly-writable': 'read-only except mounts below it',
  writable: 'writable',
};

/**
 * Formats one line for each privilege, without a heading: `/etc of the host, read-only`. Short ones of a kind
 * share a line.
 */
export function formatPrivileges(privileges: readonly Privilege[]): readonly string[] {
  const listSubjects = (kind: Privilege['kind']) =>
    privileges.filter((privilege) => privilege.kind === kind).map(({ subject }) => subject);
  const joined = (kind: Privilege['kind'], format: (subjects: string) => string) => {
    const subjects = listSubjects(kind);
    return subjects.length === 0 ? [] : [format(subjects.join(', '))];
  };
  return [
    ...joined('user', (user) => `to run as ${user}`),
    ...joined('capability', (names) => `capabilities: ${names}`),
    ...joined('namespace', (names) => `namespaces of the host: ${names}`),
    ...privileges.flatMap((privilege) =>
      privilege.kind === 'host-path'
        ? [`${privilege.subject} of the host, ${accessWords[privilege.access]}`]
        : [],
    ),
    ...privileges.flatMap((privilege) => (privilege.kind === 'device' ? [formatDevice(privilege)] : [])),
    ...joined('unconfined', (subjects) => `unconfined: ${subjects}`),
    ...joined('sysctl', (names) => `kernel parameters: ${names}`),
    ...listSubjects('hook').map((hook) => `hook of the runtime: ${hook}`),
    ...listSubjects('program').map((command) => `outside the container: ${command}`),
    ...joined('host-unit', (subjects) => `units of the host: ${subjects}`),
    ...listSubjects('tmpfiles').map((line) => `tmpfiles.d: ${line}`),
    ...privileges.flatMap((privilege) => (privilege.kind === 'host-file' ? [formatHostFile(privilege)] : [])),
  ].map((line) => toPrintable(line));
}

function formatDevice({ subject, access }: Privilege & { readonly kind: 'device' }): string {
  return access === fullAccess ? `device: ${subject}` : `device: ${subject} ${access}`;
}

function formatHostFile({ subject, access }: Privilege & { readonly kind: 'host-file' }): string {
  return access === 'trusted'
    ? `a file that the host runs or trusts: ${subject}`
    : `a file on the host: ${subject}`;
}
