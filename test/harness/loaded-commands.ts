import { commands } from '../../src/cli/commands/index.js';

/** Every command with all that is known of it. */
export const loadedCommands = await Promise.all(
  commands.map(async ({ summary, load }) => ({ summary, ...(await load()) })),
);
