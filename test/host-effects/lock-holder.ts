/** Takes the lock of the path that is its argument, says so on standard output, and keeps it until it is killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withLockIfFree } from '../../src/host/locks/lock.ts';

const path = process.argv[2] ?? '';
await withLockIfFree({ path, object: 'etcd', purpose: 'atomic test etcd' }, async () => {
  process.stdout.write('locked\n');
  for (;;) await sleep(1000);
});
