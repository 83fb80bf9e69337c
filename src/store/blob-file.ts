/** Name of the only file in the tree of a configuration blob (compatibility S-03). */
export const BLOB_FILE = 'content';
