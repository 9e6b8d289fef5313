import type { Resources } from '@coppice/model';
import { readSize } from './amounts.ts';
import { type Cursor, child } from './cursor.ts';
import type { RawProfile, RawResources, RawSizes } from './raw-file.ts';
import type { Report } from './report.ts';

const mebibyte = 2 ** 20;

/** What the sizes in one word stand for; AUTO says nothing. */
const profiles: Readonly<Record<RawProfile, Partial<Resources>>> = {
  AUTO: {},
  S: { cpu: 0.25, memoryBytes: 128 * mebibyte },
  M: { cpu: 0.5, memoryBytes: 256 * mebibyte },
  L: { cpu: 1, memoryBytes: 512 * mebibyte },
  XL: { cpu: 2, memoryBytes: 1024 * mebibyte },
  '2XL': { cpu: 4, memoryBytes: 2048 * mebibyte },
  '4XL': { cpu: 8, memoryBytes: 4096 * mebibyte },
};

const memoryBounds = { least: '16M', most: '16T' };
const diskBounds = { least: '1M', most: '1024T' };

/** `resources`, `size` and `disk` of a node; what is not said is left out. Exact figures win over a size in one word. */
export function readSizes(node: Cursor<RawSizes>, report: Report): Partial<Resources> {
  const size = node.value.size;
  const diskBytes = readSize(child(node, 'disk'), diskBounds, report);
  const exact = child(node, 'resources');
  return {
    ...(size === undefined ? {} : profiles[size]),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    ...(exact === undefined ? {} : readResources(exact, report)),
  };
}

/** A map of `cpu`, `memory`, `disk` and `size`. */
export function readResources(resources: Cursor<RawResources>, report: Report): Partial<Resources> {
  const { cpu, size } = resources.value;
  const memoryBytes = readSize(child(resources, 'memory'), memoryBounds, report);
  const diskBytes = readSize(child(resources, 'disk'), diskBounds, report);
  return {
    ...(size === undefined ? {} : profiles[size]),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(diskBytes === undefined ? {} : { diskBytes }),
  };
}
