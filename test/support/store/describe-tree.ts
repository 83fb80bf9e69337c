/** A file tree on the disk as lines in the manner of `tree`, to be compared as a whole. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { takeSnapshot } from '../tree-snapshot.ts';

/**
 * One line an entry, sorted: `d etc 0755 0:0`, `f etc/passwd 0644 0:0 "content"`, `l bin -> usr/bin`, each followed by
 * its extended attributes as `NAME=0xHEX`. The root is `.`; long content is `sha256:HEX`. Times and the owners of
 * symlinks are not part of it, because OSTree keeps no times and nothing looks at those owners.
 */
export function describeTree(root: string): string[] {
  const lines: string[] = [];
  const attributes = readAttributes(root);
  const visit = (path: string): void => {
    const absolute = join(root, path);
    const stats = lstatSync(absolute);
    const owner = `${(stats.mode & 0o7777).toString(8).padStart(4, '0')} ${stats.uid}:${stats.gid}`;
    const suffix = (attributes.get(absolute) ?? []).map((attribute) => ` ${attribute}`).join('');
    if (stats.isDirectory()) {
      lines.push(`d ${path} ${owner}${suffix}`);
      for (const name of readdirSync(absolute)) visit(path === '.' ? name : `${path}/${name}`);
    } else if (stats.isSymbolicLink()) lines.push(`l ${path} -> ${readlinkSync(absolute)}${suffix}`);
    else if (stats.isFile()) lines.push(`f ${path} ${owner} ${describeContent(absolute)}${suffix}`);
    else lines.push(`? ${path} ${owner}`);
  };
  visit('.');
  return lines.sort();
}

const MAX_SHOWN_BYTES = 64;

function describeContent(path: string): string {
  const content = readFileSync(path);
  return content.length <= MAX_SHOWN_BYTES
    ? JSON.stringify(content.toString())
    : `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function readAttributes(root: string): Map<string, string[]> {
  const attributes = new Map<string, string[]>();
  for (const [path, description] of takeSnapshot(root, { content: 'time' })) {
    const found = description.match(/(?<= )[a-z]+\.[^ =]+=0x[0-9a-f]*/g);
    if (found !== null) attributes.set(path, [...found]);
  }
  return attributes;
}
