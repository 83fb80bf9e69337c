import { runtimeZone, type Zone } from '../../base/zone.ts';

const MILLISECONDS = 60_000;

/** `YYYY-MM-DD HH:MM` in local time, as the lists have always shown it (compatibility M-01, L-02). */
export function formatLocalTime(time: Date, zone: Zone = runtimeZone): string {
  const local = new Date(time.getTime() + zone(time) * MILLISECONDS);
  const date = [local.getUTCFullYear(), local.getUTCMonth() + 1, local.getUTCDate()].map(pad).join('-');
  return `${date} ${[local.getUTCHours(), local.getUTCMinutes()].map(pad).join(':')}`;
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
