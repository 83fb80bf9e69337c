/** Asks an OCI runtime for the status of a container. */
import { isJsonObject, tryParseJson } from '../../base/json-text.ts';
import type { Host } from '../host.ts';
import { captureProgramWithin } from '../run-program.ts';

/** The answer is a state file; a runtime that waits for a lock answers later. */
const LIMIT_MILLISECONDS = 5000;

/**
 * @returns a status of the OCI runtime specification, such as `running` or `stopped`; undefined when the runtime knows no
 *   such container, or does not answer
 */
export async function readContainerStatus(
  host: Host,
  runtime: string,
  name: string,
): Promise<string | undefined> {
  const result = await captureProgramWithin(host, [runtime, 'state', name], LIMIT_MILLISECONDS);
  if (result === 'timeout' || result.exitCode !== 0) return undefined;
  const state = tryParseJson(result.stdout);
  return isJsonObject(state) && typeof state.status === 'string' ? state.status : undefined;
}
