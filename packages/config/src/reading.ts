import type { TypeDirectory } from '@coppice/model';
import type { DeclaredNode } from './declared-nodes.ts';
import type { Report } from './report.ts';

/** What every part of the file is read against. */
export interface Reading {
  readonly report: Report;
  readonly types: TypeDirectory;
  /** Every name that the file declares, also where its declaration is faulty. */
  readonly nodes: ReadonlyMap<string, DeclaredNode>;
  readonly nearestVersion: 'exact' | 'newer';
}
