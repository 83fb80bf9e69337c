/**
 * Builds example images and pushes them: `bun scripts/push-images.ts HOST:PORT [NAME]...`. Without a NAME these are all but the
 * later versions of etcd, which take the place of the first one.
 */
import {
  buildBrokenEtcdImage,
  buildEtcdImage,
  buildFlannelImage,
  buildHelloImage,
  buildNextEtcdImage,
} from '../images/example-images.ts';
import { pushImage } from '../test/support/registry-push.ts';

const images = new Map(
  Object.entries({
    etcd: { repository: 'etcd', build: buildEtcdImage, isFirst: true },
    'etcd-next': { repository: 'etcd', build: buildNextEtcdImage, isFirst: false },
    'etcd-broken': { repository: 'etcd', build: buildBrokenEtcdImage, isFirst: false },
    flannel: { repository: 'flannel', build: buildFlannelImage, isFirst: true },
    hello: { repository: 'hello', build: buildHelloImage, isFirst: true },
  }),
);
const [address, ...names] = process.argv.slice(2);
const unknown = names.filter((name) => !images.has(name));
if (address === undefined || unknown.length > 0) {
  console.error(`usage: bun scripts/push-images.ts HOST:PORT [${[...images.keys()].join('|')}]...`);
  process.exit(2);
}
for (const [name, { repository, build, isFirst }] of images) {
  if (names.length > 0 ? !names.includes(name) : !isFirst) continue;
  console.log(await pushImage({ address }, `gscrivano/${repository}`, await build()));
}
