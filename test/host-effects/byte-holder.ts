/** Holds bytes 100 to 199 of the file that its argument names, until it is killed. */
import { openSync } from 'node:fs';
import { tryLockBytes } from '../../src/native/libc.ts';

const file = openSync(process.argv[2] ?? '', 'a+');
if (!tryLockBytes(file, 'exclusive', { start: 100, length: 100 })) throw new Error('somebody has it');
console.log('locked');
setInterval(() => undefined, 1000);
