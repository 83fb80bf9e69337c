/** Starts the program that its arguments name, prints its process id, and stays until it is killed. */
import { spawnChild } from '../../src/host/spawn-child.ts';

const child = spawnChild(process.argv.slice(2), { env: process.env, stdio: 'ignore', detached: true });
console.log(child.pid);
setInterval(() => undefined, 1000);
