/** `--security-opt`: the seccomp filter of the service. */
import { rejectOption } from './service-options.ts';

/** Another filter than the default one: the absolute path of a profile, or none. */
export type SeccompChoice =
  | { readonly kind: 'profile'; readonly path: string }
  | { readonly kind: 'unconfined' };

/** Words of podman and docker, and why they are not taken. */
const unsupportedWords: Readonly<Record<string, string>> = {
  'no-new-privileges': 'the default configuration has it, and the configuration of an image says it itself',
  apparmor: 'the profile is process.apparmorProfile of config.json',
  label: 'the label is process.selinuxLabel of config.json',
};

/** @throws BAD_VALUE */
export function parseSecurityOption(value: string): SeccompChoice {
  const form =
    'Write --security-opt seccomp=PATH, with an absolute path, or --security-opt seccomp=unconfined.';
  const reject = (reason: string): Error => rejectOption('security-opt', value, reason, form);
  const [, word = '', choice] = /^([a-z-]*)(?:=(.*))?$/s.exec(value) ?? [];
  if (word !== 'seccomp' || choice === undefined) {
    throw reject(unsupportedWords[word] ?? 'only the seccomp filter can be chosen');
  }
  if (choice === 'unconfined') return { kind: 'unconfined' };
  if (!choice.startsWith('/')) throw reject(`'${choice}' is not an absolute path`);
  if (choice.includes('\0')) throw reject('it contains a NUL character');
  return { kind: 'profile', path: choice };
}
