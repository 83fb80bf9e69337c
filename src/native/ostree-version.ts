import { loadLibrary } from './koffi.ts';

const library = loadLibrary('libostree-1.so.1');
const checkVersion = library.func('bool ostree_check_version(uint32_t year, uint32_t release)');

/** The first year in which the function exists, and one that no version has. */
const FIRST_YEAR = 2017;
const LAST_YEAR = 2200;
const LAST_RELEASE = 100;

/** Finds the version of the loaded library, `2022.7`: the library only answers whether it is at least as new as another. */
export function findOstreeVersion(): string {
  let year = FIRST_YEAR;
  while (year < LAST_YEAR && checkVersion(year + 1, 0)) year++;
  let release = 0;
  while (release < LAST_RELEASE && checkVersion(year, release + 1)) release++;
  return `${year}.${release}`;
}
