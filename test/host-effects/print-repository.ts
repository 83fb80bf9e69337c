/** Prints where root's repository is on this machine. */
import { findLocations } from '../../src/host/locations.ts';

console.log(findLocations({}, {}, 0).repository);
