import type { InstallPlan } from '../../containers/container.ts';
import type { Host } from '../../host/host.ts';
import type { InstallResult } from './install-json.ts';

/**
 * Starts the service with `--start`, otherwise names the command that does.
 *
 * @returns whether the service runs now because of `--start`
 */
export async function finishInstall(
  host: Host,
  result: InstallResult,
  { start, json }: { readonly start: boolean; readonly json: boolean },
): Promise<boolean> {
  if (result.kind === 'planned') return false;
  const { name } = result.kind === 'already-present' ? result : result.plan;
  const hasService = result.kind === 'already-present' || startsService(result.plan);
  if (start && hasService) {
    const { startServices } = await import('../../containers/control/start-services.ts');
    await startServices(host, 'start', [name]);
    return true;
  }
  if (start) host.report({ kind: 'warning', text: `${name} has no service to start` });
  else if (hasService && result.kind === 'installed' && !json) {
    host.report({ kind: 'remark', text: `Start the service: atomic start ${name}` });
  }
  return false;
}

function startsService({ commands }: InstallPlan): boolean {
  return commands.some(([program, verb]) => program === 'systemctl' && verb === 'enable');
}
