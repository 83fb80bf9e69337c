/**
 * Loads the native module that the executable holds from memory. The runtime would copy it to a file in `$TMPDIR`, which
 * may be missing, full, not writable, or mounted `noexec`.
 */
import { dlopen } from 'bun:ffi';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';

const MFD_CLOEXEC = 1;
/** The file is mapped and never executed. Some hosts refuse a file without this flag; kernels before 6.3 refuse the flag. */
const MFD_NOEXEC_SEAL = 8;

const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** Folders for a file without a name, those in memory first. */
const FOLDERS = ['/dev/shm', '/run', '/tmp', '/var/tmp'];

/** @param embedded the path that the bundler gives a file in the executable */
export function loadFromMemory(embedded: string): unknown {
  const content = readFileSync(embedded);
  const failures: unknown[] = [];
  for (const open of [createMemoryFile, ...FOLDERS.map((folder) => () => createUnnamedFile(folder))]) {
    try {
      return load(open, content);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `cannot load the native module: ${failures.join('; ')}`);
}

function load(open: () => number, content: Buffer): unknown {
  const fd = open();
  try {
    writeFileSync(fd, content);
    const module = { exports: {} };
    process.dlopen(module, `/proc/self/fd/${fd}`);
    return module.exports;
  } finally {
    closeSync(fd);
  }
}

/**
 * Fails in a process that may not create executable memory (`MemoryDenyWriteExecute=` of systemd), because `bun:ffi`
 * does that.
 */
function createMemoryFile(): number {
  const libc = dlopen('libc.so.6', { memfd_create: { args: ['buffer', 'u32'], returns: 'i32' } });
  try {
    const name = Buffer.from('koffi\0');
    for (const flags of [MFD_CLOEXEC | MFD_NOEXEC_SEAL, MFD_CLOEXEC]) {
      const fd = libc.symbols.memfd_create(name, flags);
      if (fd >= 0) return fd;
    }
    throw new Error('memfd_create failed');
  } finally {
    libc.close();
  }
}

function createUnnamedFile(folder: string): number {
  return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
}
