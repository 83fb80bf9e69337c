/**
 * The example images, made from the folders beside this file and from programs of this machine (packages
 * busybox-static, etcd-server and etcd-client). Images of the same base share its layers byte for byte.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readFolderEntries } from '../test/support/folder-entries.ts';
import { type BuiltImage, buildImage, type ImageConfig } from '../test/support/oci-image.ts';
import type { TarEntry } from '../test/support/tar-writer.ts';
import { tree } from '../test/support/tree.ts';

/** etcd from Debian. Layers: busybox and libc; etcdctl; etcd; start script and /exports. */
export async function buildEtcdImage(): Promise<BuiltImage> {
  const layers = [baseLayer(), etcdctlLayer(), [program('/usr/bin/etcd')], await ownLayer('etcd')];
  return buildImage({ layers, config: config('etcd', '/usr/bin/etcd-env.sh') });
}

/** The next version of the etcd image: an update to it asks etcd whether it is healthy. */
export async function buildNextEtcdImage(): Promise<BuiltImage> {
  return buildEtcdVersion('2', {});
}

/** A version with a mistake: it listens on another port than its clients and its health check expect. */
export async function buildBrokenEtcdImage(): Promise<BuiltImage> {
  return buildEtcdVersion('3', { ETCD_LISTEN_CLIENT_URLS: 'http://127.0.0.1:2378' });
}

/** The layers of the first version, and one with another manifest. */
async function buildEtcdVersion(
  version: string,
  values: Readonly<Record<string, string>>,
): Promise<BuiltImage> {
  const manifest = JSON.parse(readFileSync(pathOf('etcd/exports/manifest.json'), 'utf8'));
  const content = JSON.stringify({
    ...manifest,
    defaultValues: { ...manifest.defaultValues, ...values },
    healthCheck: { command: ['/usr/bin/etcdctl', 'endpoint', 'health'], retries: 3 },
  });
  const first = [baseLayer(), etcdctlLayer(), [program('/usr/bin/etcd')], await ownLayer('etcd')];
  const layers = [...first, [{ path: 'exports/manifest.json', content }]];
  return buildImage({ layers, config: config('etcd', '/usr/bin/etcd-env.sh', version) });
}

/** A small service that reads its network from etcd. Layers: busybox and libc; etcdctl; script and /exports. */
export async function buildFlannelImage(): Promise<BuiltImage> {
  const layers = [baseLayer(), etcdctlLayer(), await ownLayer('flannel')];
  return buildImage({ layers, config: config('flannel', '/usr/bin/flanneld.sh') });
}

/** A greeting over HTTP. Layers: busybox and libc; script and /exports. */
export async function buildHelloImage(): Promise<BuiltImage> {
  return buildImage({
    layers: [baseLayer(), await ownLayer('hello')],
    config: config('hello', '/usr/bin/run.sh'),
  });
}

function config(name: string, entrypoint: string, version = '1'): ImageConfig {
  return {
    Entrypoint: [entrypoint],
    Env: ['PATH=/usr/bin'],
    WorkingDir: '/',
    Labels: { name: `gscrivano/${name}`, version, 'atomic.type': 'system' },
  };
}

/** All files of `images/NAME`: its root filesystem and, below /exports, the files for its install. */
async function ownLayer(name: string): Promise<TarEntry[]> {
  const folder = pathOf(name);
  return [
    ...(await readFolderEntries(`${folder}/rootfs`)),
    { path: 'exports', type: 'directory' },
    ...(await readFolderEntries(`${folder}/exports`, 'exports')),
  ];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** Mount points must be in the image: its root is read-only when the runtime needs them. */
function baseLayer(): TarEntry[] {
  return [
    ...tree`
      d dev 0755
      d etc 0755
      f etc/passwd 0644 root:x:0:0:root:/root:/bin/sh\n
      f etc/group 0644 root:x:0:\n
      f etc/nsswitch.conf 0644 hosts: files dns\n
      d proc 0555
      d root 0700
      d run 0755
      d sys 0555
      d tmp 01777
      d usr 0755
      d usr/bin 0755
      d usr/lib 0755
      d usr/lib64 0755
      d var 0755
      d var/lib 0755
      d var/lib/etcd 0700
      l bin -> usr/bin
      l lib -> usr/lib
      l lib64 -> usr/lib64
      l var/run -> ../run
    `,
    ...librariesOf('/usr/bin/etcd'),
    program('/bin/busybox'),
    ...appletNames().map<TarEntry>((name) => ({
      path: `usr/bin/${name}`,
      type: 'symlink',
      mode: 0o777,
      linkName: 'busybox',
    })),
  ];
}

function etcdctlLayer(): TarEntry[] {
  return [program('/usr/bin/etcdctl')];
}

function program(path: string): TarEntry {
  return { path: inUsr(path), mode: 0o755, content: readFileSync(path) };
}

/** The shared libraries and the dynamic loader that `path` names, with the folders they are in. */
function librariesOf(path: string): TarEntry[] {
  const listing = execFileSync('ldd', [path], { encoding: 'utf8' });
  const libraries = [...listing.matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => inUsr(library));
  const folders = new Set(libraries.map((library) => library.replace(/\/[^/]+$/, '')));
  const existing = ['usr/lib', 'usr/lib64'];
  return [
    ...[...folders]
      .filter((folder) => !existing.includes(folder))
      .map<TarEntry>((folder) => ({ path: folder, type: 'directory' })),
    ...libraries.map((library) => program(`/${library}`)),
  ];
}

function appletNames(): string[] {
  const names = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trimEnd().split('\n');
  return names.filter((name) => name !== 'busybox');
}

/** `/bin/x` and `/lib/x` are `usr/bin/x` and `usr/lib/x` in the images, as on any current distribution. */
function inUsr(path: string): string {
  return path.startsWith('/usr/') ? path.slice(1) : `usr${path}`;
}
