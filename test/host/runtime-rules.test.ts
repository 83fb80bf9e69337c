/** The rules for configurations, tried with runc and crun. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { lintRules } from '../../src/containers/lint/lint-config.ts';
import { buildExample, buildStartingConfig, lintExamples } from '../support/lint-examples.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../support/temporary.ts';
import { runCommand } from './support/commands.ts';

let folder: TemporaryFolder;
let bundle: string;

beforeAll(async () => {
  folder = await createTemporaryFolder('bundle');
  bundle = folder.path;
  for (const name of ['bin', 'proc', 'dev', 'tmp'])
    mkdirSync(`${bundle}/rootfs/${name}`, { recursive: true });
  copyFileSync('/bin/busybox', `${bundle}/rootfs/bin/busybox`);
  symlinkSync('busybox', `${bundle}/rootfs/bin/true`);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** @returns the exit status of the container, which is 0 when it starts */
async function start(runtime: string, config: object): Promise<number> {
  writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
  const { status } = await runCommand([runtime, 'run', '--bundle', bundle, 'rule']);
  await runCommand([runtime, 'delete', '--force', 'rule']);
  return status;
}

describe.each(['runc', 'crun'] as const)('%s', (runtime) => {
  test('starts the configuration that the examples change', async () => {
    expect(await start(runtime, buildStartingConfig())).toBe(0);
  });

  test('refuses what the rules say that it refuses', async () => {
    const starting: string[] = [];
    for (const rule of lintRules.filter((each) => each[runtime] === 'refuses')) {
      for (const [index, change] of (lintExamples[rule.name] ?? []).entries()) {
        if ((await start(runtime, buildExample(change))) === 0) starting.push(`${rule.name} ${index}`);
      }
    }
    expect(starting).toEqual([]);
  });
});
