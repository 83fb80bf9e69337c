/**
 * Builds the one-file executable `dist/atomic`.
 *
 *   build.ts [--arch x64|arm64] [ENTRY] [OUTFILE]
 *
 * koffi chooses its prebuilt module by a computed path, which a bundler cannot follow; the plugin below names the
 * file for the architecture instead, so that it is embedded, and loads it from memory.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BunPlugin } from 'bun';

/** The names that Bun has for the architectures of Node. */
const bunNames: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'aarch64' };

const { values, positionals } = parseArgs({ options: { arch: { type: 'string' } }, allowPositionals: true });
const [entry = 'src/main.ts', outfile = 'dist/atomic'] = positionals;
const arch = values.arch ?? process.arch;
const bunName = bunNames[arch];
if (bunName === undefined)
  throw new Error(`--arch ${arch}: known are ${Object.keys(bunNames).join(' and ')}`);
const checkout = fileURLToPath(new URL('..', import.meta.url));
const isForeign = arch !== process.arch;
const modules = isForeign ? installForeignModules() : join(checkout, 'node_modules');

const embedKoffi: BunPlugin = {
  name: 'embed-koffi',
  setup(build) {
    const native = join(modules, `@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`);
    const loader = fileURLToPath(new URL('../src/native/memory-module.ts', import.meta.url));
    build.onLoad({ filter: /\/koffi\/src\/koffi\/src\/static\.js$/ }, ({ path }) => {
      // Relative: the source map has this text, and builds in different folders must be equal.
      const name = (file: string): string => JSON.stringify(relative(dirname(path), file));
      return {
        contents: [
          `import embedded from ${name(native)} with { type: 'file' };`,
          `import { loadFromMemory } from ${name(loader)};`,
          'export const loadStatic = () => loadFromMemory(embedded);',
        ].join('\n'),
        loader: 'js',
      };
    });
  },
};

// The bundler leaves the source maps beside the executable, which has them embedded.
const folder = `${outfile}.building`;
const building = `${folder}/executable`;
mkdirSync(folder, { recursive: true });
// The name of the worker is one that `new URL('./object-worker.ts', import.meta.url)` names, in the executable too.
const worker = fileURLToPath(new URL('../src/store/layer/object-worker.ts', import.meta.url));
const result = await Bun.build({
  entrypoints: [entry, worker],
  naming: { entry: '[name].[ext]' },
  target: 'bun',
  minify: { syntax: true, whitespace: true, identifiers: false },
  bytecode: true,
  splitting: true,
  sourcemap: 'linked',
  define: { ATOMIC_COMMIT: JSON.stringify(process.env.ATOMIC_COMMIT ?? readCommit()) },
  format: 'esm',
  compile: {
    outfile: building,
    // The runtime of this machine is the one that runs this script.
    ...(isForeign ? { executablePath: join(modules, `@oven/bun-linux-${bunName}/bin/bun`) } : {}),
    autoloadDotenv: false,
    autoloadBunfig: false,
    // With an option of its own, whichever, the runtime starts in a working directory that was deleted; without, it refuses.
    execArgv: ['--no-install'],
  },
  plugins: [embedKoffi],
});
for (const log of result.logs) console.error(String(log));
if (!result.success) process.exit(1);
renameSync(building, outfile);
rmSync(folder, { recursive: true });

/** For `atomic --version`: the commit, with `-dirty` when tracked files were changed. */
function readCommit(): string {
  const { status, stdout } = spawnSync(
    'git',
    ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'],
    {
      encoding: 'utf8',
    },
  );
  return status === 0 ? stdout.trim() : 'unknown';
}

/** Installs the npm packages of package-lock.json for the other architecture, in a folder of their own. @returns the folder */
function installForeignModules(): string {
  const folder = join(checkout, `dist/npm-${arch}`);
  const installed = join(folder, 'node_modules/.package-lock.json');
  const lock = join(checkout, 'package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
    mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(checkout, file), join(folder, file));
    const options = [
      `--cpu=${arch}`,
      '--os=linux',
      '--libc=glibc',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ];
    execFileSync('npm', ['ci', '--prefer-offline', ...options], { cwd: folder, stdio: 'inherit' });
  }
  return join(folder, 'node_modules');
}
