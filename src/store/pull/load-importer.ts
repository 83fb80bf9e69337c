/**
 * Loads what storing a layer needs: a tenth of a small pull, most of it libostree. To be called while the source is
 * being opened and nothing else could be done. What cannot be loaded is missed by whoever needs it: nobody may, since the
 * image may be there already.
 */
export async function loadImporter(): Promise<void> {
  await Promise.allSettled([
    import('../../native/ostree.ts'),
    import('../../native/ostree-inventory.ts'),
    import('../write-commit.ts'),
    import('./adopt-layers.ts'),
    import('../layer/import-layer.ts'),
    import('../layer/layer-commit.ts'),
    import('../layer/object-stage.ts'),
    import('./resume-layer.ts'),
  ]);
}
