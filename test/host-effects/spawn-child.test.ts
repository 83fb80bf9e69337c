import { expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnChild } from '../../src/host/spawn-child.ts';
import { createTemporaryFolder } from '../support/temporary.ts';

const starter = new URL('child-starter.ts', import.meta.url).pathname;

test('a child ends with the program that started it, also when that is killed', async () => {
  const parent = spawn(process.execPath, [starter, 'sleep', '1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = (await once(parent.stdout, 'data')) as [Buffer];
  const child = `/proc/${output.toString().trim()}`;
  while (!readFileSync(`${child}/cmdline`, 'utf8').startsWith('sleep\0')) await sleep(5);
  parent.kill('SIGKILL');
  while (existsSync(child) && !readFileSync(`${child}/stat`, 'utf8').includes(') Z')) await sleep(5);
});

test('without setpriv, or with an old one, programs still start', async () => {
  await using folder = await createTemporaryFolder('setpriv');
  const program = folder.join('program');
  writeFileSync(program, '#!/bin/sh\nexit 7\n');
  chmodSync(program, 0o755);
  const run = async (): Promise<unknown> => {
    const child = spawnChild(['program'], { env: { PATH: folder.path }, stdio: 'ignore' });
    return (await once(child, 'exit'))[0];
  };
  expect(await run()).toBe(7);
  writeFileSync(folder.join('setpriv'), '#!/bin/sh\nexit 1\n');
  chmodSync(folder.join('setpriv'), 0o755);
  expect(await run()).toBe(7);
});

test('a program that is missing fails as itself', async () => {
  const child = spawnChild(['no-such-program'], { env: process.env, stdio: 'ignore' });
  expect((await once(child, 'error'))[0]).toMatchObject({ code: 'ENOENT' });
});
