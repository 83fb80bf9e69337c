/** After a command has ended, its changes are on the disk, on each filesystem: `/etc` is often a separate one. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { atomic, runAtomic } from '../support/atomic.ts';
import { type ImageSource, openImageSource, serviceExports } from './container-images.ts';
import { checkouts } from './host-state.ts';
import { type LossyDisk, openLossyDisk } from './support/lossy-disk.ts';

const [units, tmpfiles, data] = ['/etc/systemd/system', '/etc/tmpfiles.d', '/srv'];
const wants = `${units}/multi-user.target.wants/web.service`;

let images: ImageSource;
let disks: readonly LossyDisk[];
beforeAll(async () => {
  images = await openImageSource();
  disks = [
    openLossyDisk('etc', [units, tmpfiles]),
    openLossyDisk('containers', [checkouts]),
    openLossyDisk('data', [data]),
  ];
});
afterAll(() => images[Symbol.asyncDispose]());

function cutPower(): void {
  for (const disk of disks) disk.cutPower();
}

/** Everything that has the name of the container; a lock file that no process holds does not count. */
function listFiles(): readonly string[] {
  const found = spawnSync('find', [units, tmpfiles, data, checkouts, '-maxdepth', '3', '-name', '*web*'], {
    encoding: 'utf8',
  });
  const paths = found.stdout.trim().split('\n').filter(Boolean).sort();
  return paths.filter((path) => !path.startsWith(`${checkouts}/.atomic/locks/`));
}

async function pushService(exports: Readonly<Record<string, string>> = {}): Promise<string> {
  const image = await images.push('web', {
    exports: {
      ...serviceExports,
      'tmpfiles.template': 'D /run/$NAME 0755 - - -\nD /srv/$NAME 0755 - - -\n',
      ...exports,
    },
  });
  await atomic(['pull', image]);
  return image;
}

test('an install is on the disk, and so is an uninstall', async () => {
  await atomic(['install', '--system', await pushService()]);
  cutPower();
  expect(listFiles()).toEqual([
    wants,
    `${units}/web.service`,
    `${tmpfiles}/web.conf`,
    `${data}/web`,
    `${checkouts}/web`,
    `${checkouts}/web.0`,
    `${checkouts}/web.0/tmpfiles-web.conf`,
    `${checkouts}/web.0/web.service`,
  ]);
  // Losses of the disks would hide a missing sync of the next command.
  spawnSync('sync');
  spawnSync('sh', ['-c', `touch ${data}/web/state; sync`]);
  await atomic(['uninstall', 'web']);
  cutPower();
  expect(listFiles().filter((path) => path !== `${data}/web`)).toEqual([]);
  expect(spawnSync('ls', [`${data}/web`], { encoding: 'utf8' }).stdout).toBe('');
  spawnSync('sh', ['-c', `rm -rf ${data}/web; sync`]);
});

test('an install that was undone does not reappear', async () => {
  const refused = serviceExports['service.template']?.replace('multi-user.target', 'a/b') ?? '';
  const bad = await pushService({ 'service.template': refused });
  const run = await runAtomic(['install', '--system', bad]);
  expect(run.stderr).toStartWith('error: installing web: systemctl ');
  cutPower();
  expect(listFiles()).toEqual([]);
});
