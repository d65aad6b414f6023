import { spawn } from 'node:child_process';
import type { OsAccount } from './run-command.js';

export interface CleanupGuard {
  dismiss(): void;
}

// A line on its standard input dismisses it; the end of the input without one means that the
// process that held the other end is gone.
const script = 'if read -r _; then exit 0; fi; exec "$@"';

/**
 * Runs the command when this process ends, however it ends: on SIGKILL or a crash, no handler of
 * ours would run, but the pipe to a watching process always closes.
 */
export function guardCleanup(
  command: readonly [string, ...string[]],
  options: { account?: OsAccount | undefined; cwd: string },
): CleanupGuard {
  const child = spawn('sh', ['-c', script, 'cleanup-guard', ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Its own session: Ctrl-C in the terminal must not reach it.
    detached: true,
    cwd: options.cwd,
    ...options.account,
  });
  child.on('error', (cause) => {
    throw new Error('cannot start the process that cleans up after a throwaway cluster', { cause });
  });
  // Neither may keep this process running.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  // It may already be gone when we dismiss it.
  child.stdin.on('error', () => {});
  return { dismiss: () => void child.stdin.end('dismissed\n') };
}
