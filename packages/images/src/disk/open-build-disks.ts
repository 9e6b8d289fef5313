import type { BuildDisks } from './build-disk.ts';
import { LoopDisks } from './loop-disks.ts';
import { WatchedDisks } from './watched-disks.ts';

/** The strongest bound that this host can give: tries a small loop mount below `directory`, and sweeps what a dead server left there. */
export async function openBuildDisks(directory: string): Promise<BuildDisks> {
  const loop = new LoopDisks(directory);
  const disks = (await works(loop)) ? loop : new WatchedDisks(directory);
  await disks.sweep();
  return disks;
}

async function works(disks: BuildDisks): Promise<boolean> {
  try {
    await disks.sweep();
    const disk = await disks.scratch(4 * 1024 * 1024);
    await disk.close();
    return true;
  } catch {
    // no root, no loop devices, no mkfs: whatever it is, the other kind is there
    return false;
  }
}
