/** `--device`: a device of the host in the container. */
import { checkDestination } from './mount-options.ts';
import { rejectOption } from './service-options.ts';

export interface Device {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute, simplified path in the container. */
  readonly path: string;
  /** `r`, `w` and `m`: read, write, make a node. */
  readonly access: string;
}

/** @throws BAD_VALUE */
export function parseDevice(value: string): Device {
  const [source = '', second, third, ...more] = value.split(':');
  const isAccess = (word: string | undefined): word is string =>
    word !== undefined && /^[rwm]{1,3}$/.test(word) && new Set(word).size === word.length;
  const [destination, access] =
    third === undefined && isAccess(second) ? [source, second] : [second ?? source, third ?? 'rwm'];
  if (!source.startsWith('/') || !isAccess(access) || more.length > 0 || value.includes('\0')) {
    throw rejectOption(
      'device',
      value,
      'it does not have the form SOURCE[:DESTINATION][:ACCESS]',
      'Write --device /dev/fuse or --device /dev/sda:/dev/disk:r; ACCESS has the letters r, w and m.',
    );
  }
  return { source, path: checkDestination('device', value, destination), access };
}
