import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface BuiltCli {
  /** A folder like the package's, with nothing of a checkout. */
  readonly folder: string;
  readonly main: string;
  remove(): Promise<void>;
}

/** Compiles the command line, as it would be installed. */
export async function buildCli(): Promise<BuiltCli> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pcache-cli-'));
  for (const name of ['node_modules', 'package.json', 'migrations', 'cron-migrations'])
    await symlink(path.join(ROOT, name), path.join(folder, name));
  const outDir = path.join(folder, 'dist');
  await promisify(execFile)('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', outDir], {
    cwd: ROOT,
  });
  return {
    folder,
    main: path.join(outDir, 'cli', 'main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
