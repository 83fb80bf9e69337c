/** The images of the benchmark, made and pushed when a line first asks for them. */
import { type BuiltImage, buildImage } from '../test/support/oci-image.ts';
import { pushImage, type RegistryAddress } from '../test/support/registry-push.ts';
import { buildServiceRoot } from '../test/support/service-root.ts';
import type { TarEntry } from '../test/support/tar-writer.ts';
import { tree } from '../test/support/tree.ts';
import { buildEntries, generateFiles, largeRoot, smallRoot, splitFiles, standardRoot } from './data.ts';
import type { Folder } from './filesystem.ts';
import { type LayerFile, pushLayers, writeLayerFile } from './layer-file.ts';

/** Every function returns references to pull. */
export interface Images {
  /** The standard root in one layer. */
  rootInOneLayer(): Promise<string>;
  /** The same root in four layers. */
  rootInFourLayers(): Promise<string>;
  /** Versions of the root in four layers; each has another fourth layer, a twentieth of the whole. */
  versions(count: number): Promise<string[]>;
  /** The same root split evenly into this many layers. */
  rootInLayers(count: number): Promise<string>;
  /** Versions of a root of 20 MB in one layer: of a twentieth of the files the content is another one each time. */
  rebuilds(count: number): Promise<string[]>;
  /** Ten times the standard root, in one layer. */
  largeRootInOneLayer(): Promise<string>;
  /** Images of one small layer each, nothing shared. */
  smallImages(count: number): Promise<string[]>;
  /** A service that waits for its end. Each call pushes a new version, with one small new layer, under the same name. */
  pushService(): Promise<string>;
}

/** The default of container tools. */
const GZIP_DEFAULT = 6;
/** The large layer is not compared in time with anything. */
const GZIP_FAST = 1;
const LAYER_SHARES = [0.5, 0.3, 0.15, 0.05];
const REPOSITORY = 'bench/root';
/** One in so many entries changes with a rebuild. */
const REBUILD_SHARE = 20;

export function createImages(registry: RegistryAddress, folder: Folder): Images {
  let written = 0;
  let services = 0;
  const write = (entries: ReturnType<typeof buildEntries>, level = GZIP_DEFAULT): Promise<LayerFile> => {
    written += 1;
    return writeLayerFile(folder.join(`layer-${written}.tar.gz`), entries, level);
  };
  const push = (tag: string, layers: readonly LayerFile[]): Promise<string> =>
    pushLayers(registry, REPOSITORY, tag, layers);

  const split = splitFiles(generateFiles(standardRoot), LAYER_SHARES);
  const baseLayers = once(() => inTurn(split.slice(0, -1), (files) => write(buildEntries(files))));
  const version = async (number: number): Promise<string> => {
    const last = await write(buildEntries(split.at(-1) ?? [], number));
    return push(`version-${number}`, [...(await baseLayers()), last]);
  };
  return {
    rootInOneLayer: once(async () => push('one', [await write(buildEntries(generateFiles(standardRoot)))])),
    rootInFourLayers: once(() => version(0)),
    versions: (count) => inTurn([...Array(count).keys()], version),
    async rootInLayers(count) {
      const shares = Array.from({ length: count }, () => 1 / count);
      const layers = splitFiles(generateFiles(standardRoot), shares);
      return push(`layers-${count}`, await inTurn(layers, (files) => write(buildEntries(files))));
    },
    rebuilds: (count) =>
      inTurn([...Array(count).keys()], async (number) =>
        push(`rebuild-${number}`, [await write(buildRebuild(number))]),
      ),
    largeRootInOneLayer: once(async () =>
      push('large', [await write(buildEntries(generateFiles(largeRoot)), GZIP_FAST)]),
    ),
    smallImages: (count) => inTurn([...Array(count).keys()], (number) => pushSmallImage(registry, number)),
    pushService: () => {
      services += 1;
      return pushImage(registry, 'bench/service', buildService(services));
    },
  };
}

/** The files whose turn it is come from another version of the root. */
function* buildRebuild(number: number): Generator<TarEntry> {
  const files = generateFiles(smallRoot);
  const changed = [...buildEntries(files, number)];
  for (const [index, entry] of [...buildEntries(files)].entries()) {
    yield index % REBUILD_SHARE === 0 ? (changed[index] ?? entry) : entry;
  }
}

function pushSmallImage(registry: RegistryAddress, number: number): Promise<string> {
  const image = buildImage({
    config: { Cmd: ['/usr/bin/service'] },
    layers: [
      [
        { path: 'usr/', type: 'directory' },
        { path: 'usr/bin/', type: 'directory' },
        { path: 'usr/bin/service', mode: 0o755, content: `#!/bin/sh\necho ${number}\n` },
      ],
    ],
  });
  return pushImage(registry, `bench/small-${number}`, image);
}

/** Ends at SIGTERM, as a service should, and uses no processor meanwhile. */
const runScript = `#!/bin/sh
trap 'exit 0' TERM
sleep 1000000 &
wait
`;

/** The namespaces are those that the containers of podman get with `--network host`. */
const serviceConfig = JSON.stringify({
  ociVersion: '1.0.0',
  process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['/bin/run.sh'], env: ['PATH=/bin'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: { namespaces: ['mount', 'pid', 'ipc', 'uts'].map((type) => ({ type })) },
});

const serviceUnit = `[Unit]
Description=$NAME

[Service]
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR

[Install]
WantedBy=multi-user.target
`;

function buildService(version: number): BuiltImage {
  return buildImage({
    config: { Cmd: ['/bin/run.sh'] },
    layers: [
      [
        ...buildServiceRoot(runScript),
        ...tree`
        d exports 0755
        f exports/config.json.template 0644 ${serviceConfig}
        f exports/service.template 0644 ${serviceUnit}
      `,
      ],
      tree`f etc/version 0644 ${`${version}
`}`,
    ],
  });
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  make: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await make(item));
  return results;
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
