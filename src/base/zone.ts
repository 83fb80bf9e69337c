/** A time zone: finds the minutes that local time is ahead of UTC at some time. */
export type Zone = (time: Date) => number;

/** The zone of the process. The first question takes as long as the start of the program: `local-zone.ts` avoids it. */
export const runtimeZone: Zone = (time) => -time.getTimezoneOffset();
