/** @returns the user that systemd runs the programs of a unit as, a name or a number; `undefined` for the default, root */
export function findUnitUser(unit: string): string | undefined {
  let section = '';
  let user = '';
  for (const line of unit.split('\n')) {
    section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1] ?? section;
    const value = section === 'Service' ? /^\s*User\s*=(.*)$/.exec(line)?.[1] : undefined;
    if (value !== undefined) user = value.trim();
  }
  return user === '' ? undefined : user;
}
