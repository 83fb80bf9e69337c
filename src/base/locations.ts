/** The folders of atomic on this machine (compatibility O-01). All paths are absolute. */
export interface Locations {
  /** CHECKOUTS: deployments and the symlinks that name them (O-01). */
  readonly checkouts: string;
  /** The OSTree repository (O-02). */
  readonly repository: string;
  /** `bare` for root, `bare-user` otherwise (O-03). */
  readonly repositoryMode: 'bare' | 'bare-user';
  /** Folder of the generated units (O-05). */
  readonly units: string;
  /** Folder of the generated tmpfiles.d files (O-06). */
  readonly tmpfiles: string;
  /** Locks and journals of this program: `CHECKOUTS/.atomic`. */
  readonly state: string;
}
