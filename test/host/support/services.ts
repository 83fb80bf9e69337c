/** The state of a service in systemd. */
import { command, runCommand, waitUntil } from './commands.ts';

/** `enabled`, `disabled`, ...; empty when there is no such unit, for which systemd 254 and newer have a word. */
export async function readEnablement(name: string): Promise<string> {
  return (await runCommand(['systemctl', 'is-enabled', name])).stdout.trim().replace(/^not-found$/, '');
}

/** `active`, `inactive`, `failed`, ... */
export async function readActivity(name: string): Promise<string> {
  return (await runCommand(['systemctl', 'is-active', name])).stdout.trim();
}

/** The id of systemd for this run of the service; another one after every start. */
export async function readInvocation(name: string): Promise<string> {
  return (await command('systemctl', 'show', '--property=InvocationID', '--value', name)).trim();
}

/** Waits until a service runs again, in another run than `invocation`. */
export async function waitForNewRun(name: string, invocation: string): Promise<void> {
  await waitUntil(
    `${name} runs again`,
    async () => (await readActivity(name)) === 'active' && (await readInvocation(name)) !== invocation,
  );
}
