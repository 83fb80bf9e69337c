/** The versions of the programs and the library that atomic calls. */
import type { Host } from '../host.ts';
import { captureProgramWithin } from '../run-program.ts';
import { findProgram } from './runtime.ts';

export interface ProgramVersion {
  readonly name: string;
  /** `undefined` when the program is missing, or does not say. */
  readonly version: string | undefined;
  /** Absolute path of a program; `undefined` for a library, and for what is missing. */
  readonly path: string | undefined;
}

const LIMIT_MILLISECONDS = 5000;

/**
 * Asks a program for its version.
 *
 * @param name for the reader
 * @param program its name, or a path
 */
export async function readProgramVersion(host: Host, name: string, program = name): Promise<ProgramVersion> {
  const path = await findProgram(host, program);
  if (path === undefined) return { name, version: undefined, path };
  const result = await captureProgramWithin(host, [path, '--version'], LIMIT_MILLISECONDS);
  const [firstLine = ''] = result === 'timeout' ? [] : result.stdout.split('\n');
  return { name, version: /\b\d+(?:\.\d+)*\S*/.exec(firstLine)?.[0], path };
}

export async function readOstreeVersion(): Promise<ProgramVersion> {
  return { name: 'libostree', version: await findLibraryVersion(), path: undefined };
}

async function findLibraryVersion(): Promise<string | undefined> {
  const { LibraryMissing } = await import('../../native/koffi.ts');
  try {
    return (await import('../../native/ostree-version.ts')).findOstreeVersion();
  } catch (error) {
    if (error instanceof LibraryMissing) return undefined;
    throw error;
  }
}
