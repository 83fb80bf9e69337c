/**
 * Loads shared libraries through koffi. koffi itself costs about 8 ms, so nothing imports this module statically:
 * commands reach it by `await import` of the module that needs it.
 */
import * as koffi from 'koffi';

/**
 * Stack of a call that runs on a worker thread. With koffi's default of 128 KiB, libostree checks out no more than 120
 * nested folders; `MAX_FOLDERS` of `tar/layer-paths.ts` needs about 1 MiB. The kernel allocates only the pages in use.
 */
const STACK_BYTES = 16 * 1024 * 1024;
koffi.config({ async_stack_size: STACK_BYTES });

/** A library that the dynamic loader cannot find or open. */
export class LibraryMissing extends Error {
  readonly library: string;

  constructor(library: string, cause: unknown) {
    super(`cannot load ${library}`, { cause });
    this.name = 'LibraryMissing';
    this.library = library;
  }
}

/**
 * Opens a shared library by its soname.
 *
 * @throws LibraryMissing when it is not installed; `store/` turns that into `TOOL_MISSING` with the package to install
 */
export function loadLibrary(soname: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(soname);
  } catch (error) {
    throw new LibraryMissing(soname, error);
  }
}

export { koffi };
