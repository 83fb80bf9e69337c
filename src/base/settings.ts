/** The content of `/etc/atomic.conf` (compatibility O-12); every key is optional and so is the file. */
export interface Settings {
  readonly ostreeRepository?: string;
  readonly checkoutPath?: string;
  /** OCI runtime for system containers. */
  readonly runtime?: string;
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  /** `any`: updates may ask for more of the host without a question. */
  readonly consent?: 'ask' | 'any';
}
