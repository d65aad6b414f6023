import { createInterface } from 'node:readline';
import type { World } from './world.js';

/** Asks on the terminal; anything but a yes, the end of the input included, is a no. */
export async function confirmed(world: World, question: string): Promise<boolean> {
  // Not as a terminal: that would take Ctrl-C away from the process.
  const lines = createInterface({ input: world.stdin, terminal: false });
  world.stderr.write(`${question} [y/N] `);
  try {
    for await (const answer of lines) return /^y(es)?$/i.test(answer.trim());
    return false;
  } finally {
    lines.close();
  }
}
