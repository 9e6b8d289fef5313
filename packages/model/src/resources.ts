/** What one instance may use. */
export interface Resources {
  /** Cores, e.g. 0.5. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Share of the environment's quota on disk; 0 where the node keeps no data. */
  readonly diskBytes: number;
}
