/** Small images for the tests of containers, pushed to a registry that lives as long as the test file. */
import { writeHostContainersConfig } from '../support/containers-config.ts';
import { buildImage, type ImageConfig, type Platform } from '../support/oci-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { pushImage } from '../support/registry-push.ts';
import { buildServiceRoot } from '../support/service-root.ts';
import type { TarEntry } from '../support/tar-writer.ts';
import { tree } from '../support/tree.ts';

export interface ImageFiles {
  /** Name below `/exports` -> text; undefined for an image without `/exports`. */
  readonly exports?: Readonly<Record<string, string>> | undefined;
  readonly config?: ImageConfig;
  readonly extra?: readonly TarEntry[];
}

export interface ImageSource extends AsyncDisposable {
  readonly registry: Registry;
  /** Pushes an image. @returns its reference, `127.0.0.1:PORT/test/NAME:latest` */
  push(name: string, files: ImageFiles): Promise<string>;
}

/** Starts a registry that this host trusts without TLS. */
export async function openImageSource(): Promise<ImageSource> {
  const registry = await startRegistry();
  await writeHostContainersConfig({ insecure: [registry.address] });
  return {
    registry,
    push: (name, files) => pushImage(registry, `test/${name}`, buildTestImage(files)),
    [Symbol.asyncDispose]: registry.stop,
  };
}

/** A configuration that needs nothing of the host but `/run/NAME`, which the tmpfiles template makes. */
export const configTemplate = JSON.stringify({
  ociVersion: '1.0.0',
  process: {
    terminal: false,
    user: { uid: 0, gid: 0 },
    args: ['/bin/run.sh'],
    env: ['PATH=/bin', 'WORD=$WORD'],
    cwd: '/',
  },
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/run', type: 'bind', source: '/run/$NAME', options: ['bind', 'rw'] },
  ],
  linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
});

export const serviceTemplate = `[Unit]
Description=$NAME says $WORD

[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
SuccessExitStatus=143

[Install]
WantedBy=multi-user.target
`;

/** A service that writes its word to `/run/NAME/word` when SIGTERM can end it, and runs until then. */
export const serviceExports: Readonly<Record<string, string>> = {
  'manifest.json': '{"version":"1.0","defaultValues":{"WORD":"hello"}}',
  'config.json.template': configTemplate,
  'service.template': serviceTemplate,
  'tmpfiles.template': 'D /run/$NAME 0755 - - -\n',
};

const runScript = `#!/bin/sh
trap 'exit 0' TERM
echo "$WORD" > /run/word
while :; do sleep 0.1; done
`;

/** @param platform default: this machine */
export function buildTestImage({ exports, config, extra = [] }: ImageFiles, platform?: Platform) {
  const base = buildServiceRoot(runScript);
  const folder: TarEntry[] = exports === undefined ? [] : tree`d exports 0755`;
  const files = Object.entries(exports ?? {}).flatMap(([name, text]) => tree`f exports/${name} 0644 ${text}`);
  return buildImage({
    layers: [base, [...folder, ...files, ...extra]],
    ...(config === undefined ? {} : { config }),
    ...(platform === undefined ? {} : { platform }),
  });
}
