import { runtimeZone, type Zone } from '../../base/zone.ts';

const MILLISECONDS = 60_000;

/** The last time that a `Date` can have. */
const LAST_MILLISECONDS = 8.64e15;

/** `YYYY-MM-DD HH:MM` in local time, as the lists have always shown it (compatibility M-01, L-02). */
export function formatLocalTime(time: Date, zone: Zone = runtimeZone): string {
  const local = Math.min(time.getTime() + zone(time) * MILLISECONDS, LAST_MILLISECONDS);
  // One call of the runtime takes a tenth of the time of a question for each part. A later year than 9999 has a sign.
  const text = new Date(local).toISOString().replace(/^\+0*/, '');
  return `${text.slice(0, -'THH:MM:SS.mmmZ'.length)} ${text.slice(-'HH:MM:SS.mmmZ'.length, -':SS.mmmZ'.length)}`;
}

/** `H:MM:SS`, or `MM:SS` below an hour. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = [Math.floor(whole / 60) % 60, whole % 60].map(pad).join(':');
  return hours === 0 ? rest : `${hours}:${rest}`;
}

function pad(part: number): string {
  return String(part).padStart(2, '0');
}
