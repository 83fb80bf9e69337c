/** Lets systemd read units that were replaced. */
import { AtomicError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import type { Host } from '../../host/host.ts';
import { captureProgram, runProgram, runVisibly } from '../../host/run-program.ts';
import { reloadCommand, showProperties, withoutReload } from '../../host/systemd/systemctl.ts';
import { readUnitStates } from '../../host/systemd/unit-state.ts';
import { installsAlike } from '../render/unit/unit-settings.ts';

/** The units of a container before and after: texts by unit. */
export interface ReplacedUnits {
  /** Of the container. */
  readonly name: string;
  readonly replaced: ReadonlyMap<string, string>;
  readonly wanted: ReadonlyMap<string, string>;
  readonly isEnabled: boolean;
}

/**
 * Reloads systemd once after units were replaced. The units of an enabled service are enabled again by their new `[Install]`
 * sections. When such a section is unchanged, symlinks that a person has added stay.
 *
 * @throws COMMAND_FAILED; UNIT_FAILED when systemd cannot load one of them
 */
export async function reloadUnits(host: Host, containers: readonly ReplacedUnits[]): Promise<void> {
  await enableAgain(host, containers);
  await runVisibly(host, reloadCommand);
  await requireLoaded(
    host,
    containers.flatMap(({ wanted }) => [...wanted.keys()]),
  );
}

/**
 * As `reloadUnits`, when units were restored. A unit that systemd does not load is no failure here: the start that follows
 * reports it, and a unit whose service did not run must not prevent the end of the undo. A failed reload is none either
 * when systemd has never read the units that were there meanwhile.
 *
 * @param listFolders lists the folders from which systemd may start the service of a container
 * @throws COMMAND_FAILED
 */
export async function reloadRestoredUnits(
  host: Host,
  containers: readonly ReplacedUnits[],
  listFolders: (name: string) => readonly string[],
): Promise<void> {
  await enableAgain(host, containers);
  try {
    await runVisibly(host, reloadCommand);
  } catch (error) {
    if (!(error instanceof AtomicError) || error.code !== 'COMMAND_FAILED') throw error;
    for (const { name, wanted } of containers) {
      const units = [...wanted.keys()];
      const blocks = await showProperties(host, ['WorkingDirectory'], units);
      const folders = blocks.map((block) => block.get('WorkingDirectory') ?? '');
      if (!folders.every((folder) => listFolders(name).includes(folder))) throw error;
    }
    host.report({ kind: 'warning', text: `${error.message}; systemd still has the units that are restored` });
  }
}

async function enableAgain(host: Host, containers: readonly ReplacedUnits[]): Promise<void> {
  for (const { replaced, wanted, isEnabled } of containers) {
    for (const [unit, text] of isEnabled ? wanted : []) {
      if (installsAlike(replaced.get(unit) ?? '', text)) continue;
      await runProgram(host, withoutReload(['systemctl', 'reenable', unit]));
    }
  }
}

/** systemctl enables units that systemd refuses; such a unit would never start. @throws UNIT_FAILED */
export async function requireLoaded(host: Host, units: readonly string[]): Promise<void> {
  for (const [unit, { loadState }] of await readUnitStates(host, units)) {
    if (loadState === 'loaded') continue;
    const path = `${host.locations.units}/${unit}`;
    const { stderrTail } = await captureProgram(host, ['systemd-analyze', 'verify', '--man=no', path]);
    const reason = toPrintable(stderrTail.trim()) || `its load state is ${loadState}`;
    const hint = adviseTemplate('service.template');
    throw new AtomicError('UNIT_FAILED', `load ${unit}: ${reason}`, { hint });
  }
}

/** The hint for an error in what a template makes. */
export function adviseTemplate(template: string): string {
  return `It comes from ${template} in /exports of the image, and the --set values.`;
}
