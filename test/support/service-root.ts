import { readFileSync } from 'node:fs';
import type { TarEntry } from './tar-writer.ts';
import { tree } from './tree.ts';

/** The root filesystem of a small service: busybox of this machine, `/bin/run.sh`, and folders to mount at. */
export function buildServiceRoot(runScript: string): TarEntry[] {
  return tree`
    d bin 0755
    f bin/busybox 0755 ${readFileSync('/bin/busybox')}
    f bin/run.sh 0755 ${runScript}
    l bin/sh -> busybox
    l bin/sleep -> busybox
    d dev 0755
    d etc 0755
    d proc 0555
    d run 0755
    d sys 0555
    d tmp 01777
    d var 0755
    d var/tmp 01777
  `;
}
