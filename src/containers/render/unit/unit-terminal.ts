import { listUnitSettings } from './unit-lines.ts';

/** Whether the service of a unit has a terminal: systemd opens one for it, or its command passes one to the runtime. */
export function connectsTerminal(unit: string): boolean {
  return listUnitSettings(unit).some(
    ({ section, key, value }) =>
      section === 'Service' &&
      ((key === 'StandardInput' && value.startsWith('tty')) ||
        (key.startsWith('ExecStart') && value.includes('--console-socket'))),
  );
}
