import { stat } from 'node:fs/promises';
import { tolerateMissingAsync } from '../../base/file-error.ts';

/** This folder exists only where systemd is PID 1: sd_booted(3). */
const bootedMarker = '/run/systemd/system';

export async function isSystemdRunning(): Promise<boolean> {
  return (await tolerateMissingAsync(async () => (await stat(bootedMarker)).isDirectory())) ?? false;
}
