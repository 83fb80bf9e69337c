/** Rules of hooks, devices and limits. */
import type { JsonObject } from '../../base/json-text.ts';
import {
  bothRefuse,
  bothStart,
  type ConfigRule,
  isAbsent,
  noStart,
  onlyCrunRefuses,
  onlyRuncRefuses,
  readNumber,
  readObject,
  readObjects,
  readText,
} from './rule.ts';

const hookLists = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];
/** Block, character, unbuffered character, pipe. */
const deviceTypes = new Set(['b', 'c', 'u', 'p']);
/** Also all kinds, and none, which means all. */
const ruleTypes = new Set(['a', 'b', 'c', '']);

export const hostRules: readonly ConfigRule[] = [
  {
    ...{ name: 'no-hook', ...bothRefuse, reason: noStart },
    find: (config) =>
      listHooks(config)
        .filter(([{ path }]) => readText(path) === '')
        .map(([, where]) => ({ where: `${where}.path`, problem: 'is missing' })),
  },
  {
    ...{ name: 'relative-hook', ...bothStart, reason: 'the runtime looks for it in its working directory' },
    find: (config) =>
      listHooks(config)
        .filter(([{ path }]) => /^[^/]/.test(readText(path)))
        .map(([, where]) => ({ where: `${where}.path`, problem: 'is relative' })),
  },
  {
    ...{ name: 'hook-timeout', ...onlyRuncRefuses, reason: 'it must be more than 0' },
    find: (config) =>
      listHooks(config)
        .filter(([{ timeout }]) => !isAbsent(timeout) && readNumber(timeout) <= 0)
        .map(([, where]) => ({ where: `${where}.timeout`, problem: 'is not more than 0' })),
  },
  {
    ...{ name: 'device-path', ...onlyCrunRefuses, reason: 'it must begin with /' },
    find: ({ linux }) =>
      readObjects(readObject(linux).devices, 'linux.devices')
        .filter(([{ path }]) => !readText(path).startsWith('/'))
        .map(([{ path }, where]) => ({
          where: `${where}.path`,
          problem: isAbsent(path) ? 'is missing' : 'is relative',
        })),
  },
  {
    ...{ name: 'device-type', ...onlyRuncRefuses, reason: 'it must be b, c, u or p' },
    find: ({ linux }) =>
      readObjects(readObject(linux).devices, 'linux.devices')
        .filter(([{ type }]) => !deviceTypes.has(readText(type)))
        .map(([, where]) => ({ where: `${where}.type`, problem: 'is no type of device' })),
  },
  {
    ...{ name: 'device-number', ...bothRefuse, reason: noStart },
    find: ({ linux }) =>
      readObjects(readObject(linux).devices, 'linux.devices').flatMap(([device, where]) =>
        (['major', 'minor'] as const)
          .filter((key) => readNumber(device[key]) < 0)
          .map((key) => ({ where: `${where}.${key}`, problem: 'is negative' })),
      ),
  },
  {
    ...{ name: 'device-rule', ...onlyRuncRefuses, reason: 'it must name a type and an access of r, w and m' },
    find: (config) =>
      readObjects(readResources(config).devices, 'linux.resources.devices').flatMap(
        ([{ type, access }, where]) => [
          ...(ruleTypes.has(readText(type))
            ? []
            : [{ where: `${where}.type`, problem: 'is no type of device' }]),
          ...(readText(access) === '' ? [{ where: `${where}.access`, problem: 'is missing' }] : []),
        ],
      ),
  },
  {
    ...{ name: 'swap-limit', ...bothRefuse, reason: noStart },
    find: (config) => {
      const memory = readObject(readResources(config).memory);
      const [limit, swap] = [readNumber(memory.limit), readNumber(memory.swap)];
      const where = 'linux.resources.memory.swap';
      // -1 means no limit.
      if (swap <= 0) return [];
      if (limit === 0) return [{ where, problem: 'needs a limit of memory' }];
      return limit > swap ? [{ where, problem: 'is less than the limit of memory' }] : [];
    },
  },
  {
    ...{ name: 'unified-key', ...bothRefuse, reason: noStart },
    find: (config) =>
      Object.keys(readObject(readResources(config).unified))
        .filter((key) => key.includes('/') || !key.includes('.'))
        .map((key) => ({ where: `linux.resources.unified['${key}']`, problem: 'is no file of a cgroup' })),
  },
];

function listHooks({ hooks }: JsonObject) {
  return hookLists.flatMap((list) => readObjects(readObject(hooks)[list], `hooks.${list}`));
}

function readResources({ linux }: JsonObject): JsonObject {
  return readObject(readObject(linux).resources);
}
