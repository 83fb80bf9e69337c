import { AtomicError } from '../../base/errors.ts';
import { isNameTaken } from '../../host/files/existing-paths.ts';
import type { Host } from '../../host/host.ts';
import { readUnitState } from '../../host/systemd/unit-state.ts';
import { buildContainerPaths } from '../deployment.ts';
import { buildContainerNotFound, readContainer } from '../read-container.ts';
import { adviceForExistingName, type ContainerName, parseContainerName } from '../render/container-name.ts';
import { readCopies } from '../service/activate.ts';
import { listOwnUnits } from '../service/own-files.ts';

/** What a person does with a service, for the hint that names the command of systemd. */
type ControlVerb = 'start' | 'stop' | 'restart' | 'status' | 'logs';

/** @throws BAD_VALUE for a name that no container can have */
export function parseNames(names: readonly string[]): readonly ContainerName[] {
  return [...new Set(names)].map((name) => parseContainerName(name, adviceForExistingName));
}

/**
 * Checks that each name is that of a container whose service belongs to atomic. Services of other owners are left to
 * systemctl.
 *
 * @throws CONTAINER_NOT_FOUND, CONTAINER_DAMAGED; BAD_VALUE for a container without a service
 */
export async function requireServices(
  host: Host,
  verb: ControlVerb,
  names: readonly string[],
): Promise<void> {
  for (const name of names) await requireService(host, verb, name);
}

async function requireService(host: Host, verb: ControlVerb, name: string): Promise<void> {
  const state = await readContainer(host, name);
  const direct = buildDirectCommand(verb, name);
  if (state.kind === 'absent') {
    if ((await readUnitState(host, `${name}.service`)).loadState === 'not-found')
      throw await buildContainerNotFound(host, name);
    throw new AtomicError('CONTAINER_NOT_FOUND', `System container '${name}' is not installed`, {
      hint: `${name}.service does not belong to atomic: ${direct}`,
      details: { name },
    });
  }
  const { link, service } = buildContainerPaths(host.locations, name);
  if (state.kind === 'damaged') throw buildDamaged(name, state.reason, direct);
  if ((await readCopies(link, name)).units.size === 0) {
    throw new AtomicError(
      'BAD_VALUE',
      `The container ${name} has no service: its image has only files for the host`,
      {
        hint: `atomic containers inspect ${name} describes it.`,
        details: { name },
      },
    );
  }
  if ((await listOwnUnits(host, name)).some(({ path }) => path === service)) return;
  if (await isNameTaken(service)) throw buildDamaged(name, `${service} does not belong to it`, direct);
  throw new AtomicError('CONTAINER_DAMAGED', `The container ${name} is damaged: there is no ${service}`, {
    hint: `Bring it back: atomic containers verify --repair ${name}`,
    details: { name },
  });
}

function buildDamaged(name: string, reason: string, direct: string): AtomicError {
  return new AtomicError('CONTAINER_DAMAGED', `The container ${name} is damaged: ${reason}`, {
    hint: `See atomic containers inspect ${name}. The service itself: ${direct}`,
    details: { name },
  });
}

function buildDirectCommand(verb: ControlVerb, name: string): string {
  return verb === 'logs' ? `journalctl --unit ${name}` : `systemctl ${verb} ${name}`;
}
