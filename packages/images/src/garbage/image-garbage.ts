import type { Digest, ImagePin } from '@coppice/model';
import type { ImageHold } from '../store/uses.ts';

/** What is still needed of the images and of what builds keep beside them. */
export interface Needed {
  /** Manifests of all releases that may run again, and why each: words for people. Those that are not in the store do no harm. */
  readonly manifests: ReadonlyMap<Digest, string>;
  /** Whose package caches are kept: `BuildRequest.project` of all that exist. */
  readonly projects: ReadonlySet<string>;
}

/**
 * A manifest or configuration; a layer; the record of what was made for a key; a part of the folder of bases that servers share; the package
 * cache of a project; what a build that failed left.
 */
export type GarbageKind = 'image' | 'layer' | 'build' | 'base' | 'cache' | 'leftover';

export interface GarbageItem {
  readonly kind: GarbageKind;
  readonly id: string;
  /** Bytes of it; a base's layer may share its bytes with the store's. */
  readonly bytes: number;
  readonly action: 'keep' | 'delete';
  /** Words for people. */
  readonly why: string;
}

/** What there is, and what of it can go. Good for one collection soon after. */
export interface Garbage {
  readonly items: readonly GarbageItem[];
  /** The moment of `Uses` at which it was begun. */
  readonly mark: number;
}

/** Finds and deletes what nothing needs any more of images, records, bases and caches. Safe beside builds; never touches what is not ours. */
export interface ImageGarbage {
  /**
   * While it stands, nothing is deleted that a build made or reused since, or that `complete` was asked about. Whoever builds takes it
   * before and releases it once what was built is where the next `readNeeded` finds it.
   */
  hold(): ImageHold;
  /** Of those given, the manifests whose image is there with all its layers. Foreign images count as there. */
  complete(images: readonly ImagePin[]): Promise<ReadonlySet<Digest>>;
  /** Images that builds run their steps in at the moment: the engine must keep them. */
  running(): readonly ImagePin[];
  /** Deletes nothing. `readNeeded` is called once, after the moment from which new uses are spared. Throws what it throws. */
  garbage(readNeeded: () => Needed | Promise<Needed>): Promise<Garbage>;
  /**
   * Deletes what is marked `delete` and did not come into use since. Answers all items as it left them. Killed at any moment it leaves
   * whole images, records that count as not there, and garbage for the next collection.
   */
  collect(garbage: Garbage): Promise<readonly GarbageItem[]>;
}
