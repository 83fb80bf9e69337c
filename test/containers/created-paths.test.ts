import { expect, test } from 'bun:test';
import { mkdir, readdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import {
  listFoldersToCreate,
  listPathsToCreate,
  removeCreatedFolders,
  removeCreatedPaths,
  restoreDeclaredPaths,
} from '../../src/containers/service/created-paths.ts';
import { plainRecord as record } from '../support/plain-record.ts';
import { createSandbox } from '../support/sandbox.ts';
import { createTemporaryFolder } from '../support/temporary.ts';
import { writeDeployment } from './fake-deployment.ts';

const own = '/etc/tmpfiles.d/web.conf';

test('removes paths that did not exist before and have no content', async () => {
  await using sandbox = await createSandbox();
  await using folder = await createTemporaryFolder();
  await mkdir(folder.join('old'));
  const conf = ['old', 'old/made', 'new/deep/er', 'filled/deep', 'link', 'file'].map(
    (name) => `d ${folder.join(name)}`,
  );
  const paths = await listPathsToCreate(conf.join('\n'));
  expect(paths.map((path) => path.slice(folder.path.length + 1))).toEqual([
    'file',
    'filled',
    'filled/deep',
    'link',
    'new',
    'new/deep',
    'new/deep/er',
    'old/made',
  ]);
  await mkdir(folder.join('old/made'));
  await mkdir(folder.join('new/deep/er'), { recursive: true });
  await mkdir(folder.join('filled/deep'), { recursive: true });
  await writeFile(folder.join('filled/deep/data'), '');
  await symlink('/etc', folder.join('link'));
  expect(await removeCreatedPaths(sandbox.host, own, paths)).toEqual([
    folder.join('filled'),
    folder.join('filled/deep'),
  ]);
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual([
    'filled',
    'filled/deep',
    'filled/deep/data',
    'old',
  ]);
});

test('a file or a symlink at the path of a folder stays', async () => {
  await using sandbox = await createSandbox();
  await using folder = await createTemporaryFolder();
  await writeFile(folder.join('file'), '');
  await symlink('/etc', folder.join('link'));
  await mkdir(folder.join('folder'));
  const paths = ['file', 'folder', 'link'].map((name) => folder.join(name));
  expect(await removeCreatedFolders(sandbox.host, own, paths)).toEqual([
    folder.join('file'),
    folder.join('link'),
  ]);
});

test('a path in another tmpfiles.d file stays, with the folders above it', async () => {
  await using sandbox = await createSandbox();
  await using folder = await createTemporaryFolder();
  const { tmpfiles } = sandbox.locations;
  await mkdir(tmpfiles, { recursive: true });
  const text = ['shared', 'base/shared', 'base/own', 'quoted x', 'own'].map((name) => folder.join(name));
  for (const path of text) await mkdir(path, { recursive: true });
  await writeFile(`${tmpfiles}/web.conf`, text.map((path) => `d ${path}\n`).join(''));
  await writeFile(
    `${tmpfiles}/other.conf`,
    `z ${folder.join('shared')} 0755\nd ${folder.join('base/shared')}\nd "${folder.join('quoted x')}"\n`,
  );
  await symlink('/nonexistent', `${tmpfiles}/dangling.conf`);
  await removeCreatedFolders(sandbox.host, `${tmpfiles}/web.conf`, [folder.join('base'), ...text]);
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual([
    'base',
    'base/shared',
    'quoted x',
    'shared',
  ]);
});

test('a removed path that another install has named meanwhile is created again, and no other path of its file', async () => {
  await using sandbox = await createSandbox();
  await using folder = await createTemporaryFolder();
  const { tmpfiles } = sandbox.locations;
  await mkdir(tmpfiles, { recursive: true });
  await mkdir(folder.join('there'));
  const names = ['removed/deep', 'there/below', 'unrelated'];
  const text = names.map((name) => `d ${folder.join(name)} 0750\n`).join('');
  await writeFile(`${tmpfiles}/other.conf`, text);
  await writeFile(`${tmpfiles}/web.conf`, `d ${folder.join('own')}\n`);
  const removed = ['own', 'removed', 'there'].map((name) => folder.join(name));
  await restoreDeclaredPaths(sandbox.host, `${tmpfiles}/web.conf`, removed);
  expect((await readdir(folder.path, { recursive: true })).sort()).toEqual([
    'removed',
    'removed/deep',
    'there',
    'there/below',
  ]);
});

test('folders in /run that were missing or created for another container are removed with the container', async () => {
  await using sandbox = await createSandbox();
  const base = `/run/atomic-test-${process.pid}`;
  await writeDeployment(sandbox, 'other', {
    record: { ...record, createdFolders: [base, `${base}/shared`, '/run/unrelated'] },
  });
  await mkdir(`${base}/shared`, { recursive: true });
  await mkdir(`${base}/there`);
  try {
    const text = ['there', 'shared/a', 'new/b'].map((name) => `d ${base}/${name}\n`).join('');
    expect(
      await listFoldersToCreate(sandbox.host, `${text}d /var/lib/atomic-test\nf ${base}/file\n`),
    ).toEqual([base, `${base}/new`, `${base}/new/b`, `${base}/shared`, `${base}/shared/a`]);
  } finally {
    for (const name of ['/there', '/shared', '']) await rmdir(`${base}${name}`);
  }
});
