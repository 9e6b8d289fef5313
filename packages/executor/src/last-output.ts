import type { Engine } from '@coppice/engine';

const tailLines = 20;

/** The last 20 lines an instance or job wrote, as the end of a message. Never rejects: what went wrong is said in their place. */
export async function lastOutput(engine: Pick<Engine, 'logs'>, id: string): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const line of engine.logs(id, { tail: tailLines })) lines.push(`  ${line.text}`);
  } catch (error) {
    return `; its output could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  return lines.length === 0 ? '; it printed nothing' : `; its last output:\n${lines.slice(-tailLines).join('\n')}`;
}
