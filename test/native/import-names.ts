/** Imports empty files of the given names through the scanner, and prints the names that the repository then has. */
import { closeSync, writeSync } from 'node:fs';
import { parseDirTree } from '../../src/core/ostree-objects.ts';
import { TarScanner } from '../../src/core/tar-scanner.ts';
import { openPipe } from '../../src/native/libc.ts';
import {
  abortTransaction,
  beginTransaction,
  createRepository,
  importTar,
  loadMetadata,
} from '../../src/native/ostree.ts';
import { buildTar } from '../support/tar-writer.ts';

const [path = '', ...names] = process.argv.slice(2);
const { readEnd, writeEnd } = openPipe(1024 * 1024);
writeSync(
  writeEnd,
  new TarScanner().push(buildTar(names.map((name) => ({ path: 'x', pax: { path: name } })))),
);
closeSync(writeEnd);
const repo = createRepository(path, 'bare');
beginTransaction(repo);
const { dirtree } = await importTar(repo, readEnd);
console.log(
  JSON.stringify(parseDirTree(loadMetadata(repo, 'dirtree', dirtree)).files.map(({ name }) => name)),
);
abortTransaction(repo);
