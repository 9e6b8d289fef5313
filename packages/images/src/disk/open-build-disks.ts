import type { BuildDisks } from './build-disk.ts';
import { LoopDisks } from './loop-disks.ts';
import { WatchedDisks } from './watched-disks.ts';

/** The strongest bound that this host can give: tries a small loop mount below `directory`, and sweeps what a dead server left there. */
export async function openBuildDisks(directory: string): Promise<BuildDisks> {
  const loop = new LoopDisks(directory);
  const weakness = await whyNot(loop);
  const disks = weakness === undefined ? loop : new WatchedDisks(directory, weakness);
  await disks.sweep();
  return disks;
}

/** Whatever hinders it (no root, no loop devices, no mkfs), the other kind is there; the reason is kept for people. */
async function whyNot(disks: BuildDisks): Promise<string | undefined> {
  try {
    await disks.sweep();
    const disk = await disks.scratch(4 * 1024 * 1024);
    await disk.close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
