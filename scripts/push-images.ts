/** Builds example images and pushes them: `bun scripts/push-images.ts HOST:PORT [NAME]...`, all without a NAME. */
import { buildEtcdImage, buildFlannelImage, buildHelloImage } from '../images/example-images.ts';
import { pushImage } from '../test/support/registry-push.ts';

const images = new Map(
  Object.entries({ etcd: buildEtcdImage, flannel: buildFlannelImage, hello: buildHelloImage }),
);
const [address, ...names] = process.argv.slice(2);
const unknown = names.filter((name) => !images.has(name));
if (address === undefined || unknown.length > 0) {
  console.error(`usage: bun scripts/push-images.ts HOST:PORT [${[...images.keys()].join('|')}]...`);
  process.exit(2);
}
for (const [name, build] of images) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(await pushImage({ address }, `gscrivano/${name}`, await build()));
}
