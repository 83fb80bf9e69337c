import { stat } from 'node:fs/promises';
import { isErrno } from '../../base/file-error.ts';

/** This folder exists only where systemd is PID 1: sd_booted(3). */
const bootedMarker = '/run/systemd/system';

export async function isSystemdRunning(): Promise<boolean> {
  try {
    return (await stat(bootedMarker)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
