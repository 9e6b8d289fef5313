import { tinyApp } from '../../test/e2e/harness/tiny-app.ts';
import type { TestServer } from '../../test/e2e/harness.ts';
import { type BenchRow, judged } from './bench-row.ts';
import { peakBytes } from './process-use.ts';

const environments = 20;

/** Pushes at once to as many environments of projects of their own: none may be lost or stuck. */
export async function manyRows(server: TestServer): Promise<readonly BenchRow[]> {
  const clones = [];
  for (let index = 0; index < environments; index += 1) {
    const clone = await server.project(`many-${index}`);
    await clone.commit(tinyApp({ answer: `many ${index}` }));
    clones.push(clone);
  }
  const startedMs = performance.now();
  const pushes = await Promise.all(clones.map((clone) => clone.push('HEAD')));
  const tookMs = performance.now() - startedMs;
  const refused = pushes.filter(({ code }) => code !== 0).map(({ output }) => output);
  const answers = await Promise.all(clones.map((_, index) => server.request(`main.many-${index}.localhost`)));
  const wrong = answers.filter(({ body }, index) => body !== `many ${index}`).map(({ status }) => `status ${status}`);
  const peak = server.pid === undefined ? Number.NaN : peakBytes(server.pid);
  const lost = [...refused, ...wrong];
  const name = `pushes at once to ${environments} environments`;
  return [
    judged({
      name: `${name}: lost or stuck`,
      measured: lost.length,
      unit: 'count',
      limit: 0,
      note: lost[0] ?? `all live after ${(tookMs / 1000).toFixed(1)} s`,
    }),
    judged({
      name: `${name}: memory of the control plane`,
      measured: peak / 1024 ** 2,
      unit: 'MB',
      limit: 300,
      note: 'VmHWM since its start',
    }),
  ];
}
