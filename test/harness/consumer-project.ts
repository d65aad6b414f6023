import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundleInto } from '../../tools/build/bundle-into.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** A repository that uses this package, as the examples expect it. */
export interface ConsumerProject {
  /** With package.json, package-lock.json and the tarball that they name; nothing is installed. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** The tarball has the dependencies of the package in it: `npm ci` needs no registry. */
export async function createConsumerProject(): Promise<ConsumerProject> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pcache-consumer-'));
  const staged = await mkdtemp(path.join(tmpdir(), 'pcache-staged-'));
  try {
    await stagePackage(staged);
    const { stdout } = await npm(staged, [
      'pack',
      '--ignore-scripts',
      '--pack-destination',
      folder,
    ]);
    const tarball = stdout.trim().split('\n').at(-1);
    const dependencies = { 'pcache-migrate': `file:${tarball}` };
    await writeJson(path.join(folder, 'package.json'), { private: true, dependencies });
    await npm(folder, ['install', '--package-lock-only', '--offline']);
  } finally {
    await rm(staged, { recursive: true });
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function stagePackage(folder: string): Promise<void> {
  const manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  await writeJson(path.join(folder, 'package.json'), {
    ...manifest,
    bundleDependencies: Object.keys(manifest.dependencies),
  });
  const shipped = manifest.files.filter((name: string) => name !== 'dist');
  for (const name of [...shipped, 'LICENSE', 'README.md']) {
    await cp(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  await bundleInto(path.join(folder, 'dist'));
  const types = path.join(folder, 'dist', 'types');
  await run('npx', ['tsc', '-p', 'tsconfig.build.json', '--outDir', types], { cwd: ROOT });
  for (const dependency of await installedDependencies()) {
    const target = path.join(folder, dependency);
    await mkdir(path.dirname(target), { recursive: true });
    await cp(path.join(ROOT, dependency), target, { recursive: true });
  }
}

/** `node_modules/pg` and the like, of what is installed along with the package. */
async function installedDependencies(): Promise<string[]> {
  const { stdout } = await npm(ROOT, ['ls', '--omit=dev', '--all', '--parseable']);
  return stdout
    .trim()
    .split('\n')
    .map((folder) => path.relative(ROOT, folder))
    .filter((folder) => folder !== '');
}

function npm(cwd: string, args: readonly string[]) {
  return run('npm', args, { cwd });
}

async function writeJson(file: string, content: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
}
