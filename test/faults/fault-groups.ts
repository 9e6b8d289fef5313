import { TestServer } from '../e2e/harness.ts';
import { type CopiesOptions, copiesUnderWriter } from './copies.ts';
import { branchKinds, commandKinds, firstPushKind, pushKinds } from './crash-kinds.ts';
import { crashAtEachEffect, crashInRecovery } from './crash-points.ts';
import { drift } from './drift.ts';
import { driftKinds } from './drift-kinds.ts';
import type { FaultRow } from './fault-row.ts';
import { FaultServer } from './fault-server.ts';
import { mountDisk, resourceKinds, trouble } from './resource-kinds.ts';
import { Shop } from './shop.ts';

export interface FaultOptions {
  /** The server is killed after every so many effects. 1: after each, and after each of some recoveries; above 1 each change begins at another. */
  readonly every: number;
  readonly print: (line: string) => void;
}

/** Changes, and after which of their effects the server dies first: in the middle of what they do to containers. */
const recoveries = [
  ['update that holds and switches', 14],
  ['branch deleted', 5],
  ['first push', 16],
] as const;

/** The server killed at the effects of each kind of change. */
export async function crashRows({ every, print }: FaultOptions): Promise<readonly FaultRow[]> {
  return await withServer(await FaultServer.start(), async (faulty) => {
    const { server } = faulty;
    const shop = await Shop.open(server, 'shop');
    const solo = await Shop.open(server, 'solo', 'instance');
    const nap = await Shop.open(server, 'nap');
    const rows: FaultRow[] = [];
    const kinds = [...pushKinds(shop, solo), ...branchKinds(faulty, shop), firstPushKind(faulty, shop), ...commandKinds(faulty, nap, shop)];
    for (const [index, kind] of kinds.entries()) {
      // The shortest change has nine effects.
      const first = 1 + ((index * 3) % Math.min(every, 9));
      rows.push(await crashAtEachEffect(faulty, kind, { first, every, print }));
    }
    for (const [name, effect] of every === 1 ? recoveries : []) {
      const kind = kinds.find((candidate) => candidate.name === name);
      if (kind) rows.push(await crashInRecovery(faulty, kind, { effect, every, print }));
    }
    return rows;
  });
}

/** Something changed behind the server's back, one after the other. */
export async function driftRows({ print }: Pick<FaultOptions, 'print'>): Promise<readonly FaultRow[]> {
  return await withServer(await FaultServer.start(), async (faulty) => {
    const shop = await Shop.open(faulty.server, 'shop');
    const rows: FaultRow[] = [];
    for (const kind of driftKinds(faulty.server, shop.name)) {
      print(kind.name);
      rows.push(await drift(faulty.server, shop.name, kind));
    }
    return rows;
  });
}

/** Something that the machine lacks while a push comes. */
export async function resourceRows({ print }: Pick<FaultOptions, 'print'>): Promise<readonly FaultRow[]> {
  return await withServer(await FaultServer.start({ prepare: mountDisk }), async (faulty) => {
    const shop = await Shop.open(faulty.server, 'shop');
    const rows: FaultRow[] = [];
    for (const kind of resourceKinds(faulty, shop)) {
      print(kind.name);
      rows.push(await trouble(faulty, shop, kind));
    }
    return rows;
  });
}

/** Copies of data that is written to meanwhile. */
export async function copyRows(options: CopiesOptions): Promise<readonly FaultRow[]> {
  const server = await TestServer.start();
  try {
    return await copiesUnderWriter(server, options);
  } finally {
    await server.stop();
  }
}

async function withServer(faulty: FaultServer, rows: (faulty: FaultServer) => Promise<readonly FaultRow[]>): Promise<readonly FaultRow[]> {
  try {
    return await rows(faulty);
  } finally {
    await faulty.stop();
  }
}
