/**
 * Builds the one-file executable `dist/atomic`.
 *
 * koffi chooses its prebuilt module by a computed path, which a bundler cannot follow; the plugin below names the
 * file for this machine instead, so that it is embedded, and loads it from memory.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BunPlugin } from 'bun';

const entry = process.argv[2] ?? 'src/main.ts';
const outfile = process.argv[3] ?? 'dist/atomic';

const embedKoffi: BunPlugin = {
  name: 'embed-koffi',
  setup(build) {
    const native = fileURLToPath(
      import.meta.resolve(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`),
    );
    const loader = fileURLToPath(new URL('../src/native/memory-module.ts', import.meta.url));
    build.onLoad({ filter: /\/koffi\/src\/koffi\/src\/static\.js$/ }, () => ({
      contents: [
        `import embedded from ${JSON.stringify(native)} with { type: 'file' };`,
        `import { loadFromMemory } from ${JSON.stringify(loader)};`,
        'export const loadStatic = () => loadFromMemory(embedded);',
      ].join('\n'),
      loader: 'js',
    }));
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
