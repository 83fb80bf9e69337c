import { simplifyPath } from '../render/config/runtime-config.ts';
import {
  bothRefuse,
  bothStart,
  type ConfigRule,
  noStart,
  onlyCrunRefuses,
  onlyRuncRefuses,
  readObject,
  readObjects,
  readText,
  readTexts,
} from './rule.ts';

export const mountRules: readonly ConfigRule[] = [
  {
    ...{ name: 'no-root', ...bothRefuse, reason: noStart },
    find: ({ root }) =>
      readText(readObject(root).path) === '' ? [{ where: 'root.path', problem: 'is missing' }] : [],
  },
  {
    ...{ name: 'no-destination', ...bothRefuse, reason: noStart },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts')
        .filter(([{ destination }]) => readText(destination) === '')
        .map(([, where]) => ({ where: `${where}.destination`, problem: 'is missing' })),
  },
  {
    ...{ name: 'relative-destination', ...bothStart, reason: 'later versions of runc do not start it' },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts')
        .filter(([{ destination }]) => /^[^/]/.test(readText(destination)))
        .map(([, where]) => ({ where: `${where}.destination`, problem: 'is relative' })),
  },
  {
    ...{ name: 'no-mount-type', ...bothRefuse, reason: noStart },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts')
        .filter(([{ type, options }]) => readText(type) === '' && !hasBindOption(options))
        .map(([, where]) => ({ where: `${where}.type`, problem: 'is missing' })),
  },
  {
    ...{ name: 'bind-without-option', ...bothRefuse, reason: noStart },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts')
        .filter(([{ type, options }]) => type === 'bind' && !hasBindOption(options))
        .map(([, where]) => ({ where: `${where}.options`, problem: "must have 'bind' or 'rbind'" })),
  },
  {
    ...{ name: 'bind-without-source', ...onlyCrunRefuses, reason: 'runc takes the folder of the deployment' },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts')
        .filter(([{ source, options }]) => readText(source) === '' && hasBindOption(options))
        .map(([, where]) => ({ where: `${where}.source`, problem: 'is missing' })),
  },
  {
    ...{ name: 'no-proc', ...onlyRuncRefuses, reason: 'it needs /proc in the container' },
    find: ({ mounts }) =>
      readObjects(mounts, 'mounts').some(
        ([{ destination }]) => simplifyPath(readText(destination)) === '/proc',
      )
        ? []
        : [{ where: 'mounts', problem: 'has no /proc' }],
  },
];

function hasBindOption(options: unknown): boolean {
  return readTexts(options, '').some(([option]) => option === 'bind' || option === 'rbind');
}
