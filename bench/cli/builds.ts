import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleInto } from '../../tools/build/bundle-into.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

export interface Build {
  readonly commit: string;
  readonly main: string;
}

/** Bundles the package as it is in this checkout into a folder of its own; returns its command line. */
export async function buildOurs(folder: string): Promise<string> {
  await mkdir(folder);
  for (const name of ['package.json', 'migrations', 'cron-migrations']) {
    await symlink(path.join(ROOT, name), path.join(folder, name));
  }
  await bundleInto(path.join(folder, 'dist'));
  return mainOf(folder);
}

/** Builds it as it was at this commit. */
export async function buildAt(ref: string, folder: string): Promise<Build> {
  const { stdout } = await run('git', ['rev-parse', '--short', ref], { cwd: ROOT });
  await mkdir(folder);
  await run('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', ref, folder], { cwd: ROOT });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await run('npm', ['run', 'build'], { cwd: folder });
  return { commit: stdout.trim(), main: mainOf(folder) };
}

function mainOf(folder: string): string {
  return path.join(folder, 'dist', 'cli', 'main.js');
}
