/** Turns the entries of a layer's archive into objects of the stage and a tree. */

import { FileType } from '../../base/file-mode.ts';
import type { LayerTreeBuilder, TreeChecksums } from '../../ostree/layer-tree.ts';
import type { DirMeta } from '../../ostree/ostree-objects.ts';
import type { TarEntry } from '../../tar/tar-entries.ts';
import type { KeptAttributes } from './kept-attributes.ts';
import type { ObjectStage } from './object-stage.ts';
import { type FileContent, withHoles } from './sparse-content.ts';

/** The mode of every symlink on Linux, with any mode in the archive. */
const SYMLINK_MODE = 0o777;
/** Owner and mode of a whiteout, which is an empty file. */
const WHITEOUT: DirMeta = { uid: 0, gid: 0, mode: FileType.file | 0o644, xattrs: [] };

export class LayerImporter {
  readonly #stage: ObjectStage;
  readonly #attributes: KeptAttributes;
  readonly #tree: LayerTreeBuilder;
  #file: { readonly path: string; readonly content: FileContent; missing: number } | undefined;

  constructor(stage: ObjectStage, attributes: KeptAttributes, tree: LayerTreeBuilder) {
    this.#stage = stage;
    this.#attributes = attributes;
    this.#tree = tree;
  }

  entry(entry: TarEntry): void {
    const { path, target } = entry;
    switch (entry.kind) {
      case 'file':
        this.#file = {
          path,
          content: withHoles(
            this.#stage.beginFile(this.#describe(entry, FileType.file | entry.mode)),
            entry.sparse,
          ),
          missing: entry.size,
        };
        this.#finishFileWhenWhole();
        break;
      case 'directory':
        this.#tree.addDirectory(path, this.#describe(entry, FileType.directory | entry.mode));
        break;
      case 'symlink': {
        const meta = this.#describe(entry, FileType.symlink | SYMLINK_MODE);
        this.#tree.addFile(path, this.#stage.writeSymlink(meta, target));
        break;
      }
      case 'hard link':
        this.#tree.addHardLink(path, target);
        break;
      case 'device node or FIFO':
        this.#tree.hideFile(path, this.#stage.beginFile(WHITEOUT).finish());
        break;
    }
  }

  content(bytes: Buffer): void {
    if (this.#file === undefined) throw new Error('content without a file');
    this.#file.content.write(bytes);
    this.#file.missing -= bytes.length;
    this.#finishFileWhenWhole();
  }

  /** Writes the remaining directories. */
  finish(): TreeChecksums {
    return this.#tree.finish();
  }

  /** Discards the open file of an unfinished layer. */
  abandon(): void {
    this.#file?.content.abandon();
    this.#file = undefined;
  }

  #finishFileWhenWhole(): void {
    if (this.#file === undefined || this.#file.missing > 0) return;
    this.#tree.addFile(this.#file.path, this.#file.content.finish());
    this.#file = undefined;
  }

  #describe({ uid, gid, xattrs }: TarEntry, mode: number): DirMeta {
    return this.#attributes.keep({ uid, gid, mode, xattrs });
  }
}
