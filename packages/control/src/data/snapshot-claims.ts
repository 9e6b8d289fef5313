import type { SnapshotId } from '@coppice/model';

/** Kept copies that somebody is about to use: between their making and the record that names them, nobody else knows of them. */
export class SnapshotClaims {
  readonly #ids = new Set<SnapshotId>();

  claim(id: SnapshotId): SnapshotId {
    this.#ids.add(id);
    return id;
  }

  release(id: SnapshotId): void {
    this.#ids.delete(id);
  }

  has(id: SnapshotId): boolean {
    return this.#ids.has(id);
  }
}
