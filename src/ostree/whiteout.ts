/** A file whose name begins so takes the rest of the name away from lower layers (OCI image specification, "Whiteouts"). */
export const WHITEOUT_PREFIX = '.wh.';
