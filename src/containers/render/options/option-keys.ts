/** The key of a value in a list: two values with one key replace each other. */
import { parseCapability } from './capability-options.ts';
import { parseDevice } from './device-option.ts';
import { parseVariable } from './environment-options.ts';
import { parseTmpfs, parseVolume } from './mount-options.ts';
import type { OptionName } from './service-options.ts';
import { parseUlimit } from './ulimit-option.ts';

/** @throws BAD_VALUE when the option cannot have the value */
export function findOptionKey(name: OptionName, value: string): string {
  switch (name) {
    case 'volume':
      return parseVolume(value).destination;
    case 'tmpfs':
      return parseTmpfs(value).destination;
    case 'device':
      return parseDevice(value).path;
    case 'env':
      return parseVariable(value).name;
    case 'cap-add':
    case 'cap-drop':
      return parseCapability(name, value);
    case 'ulimit':
      return parseUlimit(value).name;
    default:
      return value;
  }
}
