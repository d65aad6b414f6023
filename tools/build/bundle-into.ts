import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Writes there what `npm run build` writes into dist, without the types. */
export async function bundleInto(dist: string): Promise<void> {
  const args = ['rolldown', '--config', 'rolldown.config.ts', '--dir', dist];
  await promisify(execFile)('npx', [...args, '--log-level', 'silent'], { cwd: ROOT });
}
