import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { licensedPackages } from '../../tools/build/licences-text.js';
import { LICENCES_FILE } from '../../tools/build/third-party-licences.js';
import { type ConsumerProject, createConsumerProject } from '../harness/consumer-project.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOOK = path.join(ROOT, 'tools/dependencies/note-loaded.js');
const run = promisify(execFile);
let project: ConsumerProject;

const packaged = (...names: string[]) =>
  path.join(project.folder, 'node_modules/pcache-migrate', ...names);

beforeAll(async () => {
  project = await createConsumerProject();
  await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--offline'], { cwd: project.folder });
});

afterAll(() => project.remove());

/** The modules that this command line loads, by their paths in the package or in node_modules. */
async function loadedBy(...args: string[]): Promise<string[]> {
  const note = path.join(project.folder, `loaded-by${args.join('')}`);
  const main = packaged('dist/cli/main.js');
  await run(process.execPath, ['--import', HOOK, main, ...args], {
    cwd: project.folder,
    env: { PATH: process.env.PATH, NOTE_LOADED: note },
  });
  const urls = (await readFile(note, 'utf8')).split('\n').filter((url) => url.startsWith('file:'));
  return [...new Set(urls)]
    .map((url) => fileURLToPath(url))
    .filter((file) => file !== HOOK)
    .map((file) => path.relative(packaged(), file));
}

it('says its version, and loads only what tells the commands apart', async () => {
  const { stdout } = await run('npx', ['--no-install', 'pcache-migrate', '--version'], {
    cwd: project.folder,
  });
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  expect(stdout.trim()).toBe(version);
  expect(await loadedBy('--version')).toEqual([
    'dist/cli/main.js',
    'dist/chunks/start.js',
    'dist/chunks/run-cli.js',
  ]);
});

it('shows its help without a command or a database driver', async () => {
  const loaded = await loadedBy('--help');
  expect(loaded).toContain('dist/chunks/parse-arguments.js');
  expect(loaded).not.toContain('dist/chunks/deployment.js');
  expect(loaded.length).toBeLessThan(10);
  for (const file of loaded) {
    const text = await readFile(packaged(file), 'utf8');
    expect(text, file).not.toMatch(/node_modules\/pg\/|\/\/ src\/(database|operations|doctor)\//);
  }
});

it('finds its migrations: config needs no server, and doctor gets as far as connecting', async () => {
  const env = {
    PATH: process.env.PATH,
    DB_HOST: '127.0.0.1',
    DB_PORT: '1',
    DB_USER: 'migrator',
    DB_PASSWORD: 'secret',
    DB_NAME: 'app',
    CACHE_BACKEND: 'postgresql_array',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
  };
  const main = packaged('dist/cli/main.js');
  const { stdout } = await run(process.execPath, [main, 'config'], { env });
  expect(stdout).toContain('my_cache');
  const failed = await run(process.execPath, [main, 'doctor'], { env }).catch((error) => error);
  expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('127.0.0.1') });
  const streams = await Promise.all(
    ['migrations', 'cron-migrations'].map((name) => readdir(packaged(name))),
  );
  for (const files of streams) expect(files.length).toBeGreaterThan(10);
});

it('can be used as a library, with its types', async () => {
  const file = path.join(project.folder, 'use.mts');
  await writeFile(
    file,
    "import { loadSettings, PcacheError, type UpReport, up } from 'pcache-migrate';\n" +
      'const settings = loadSettings({ env: {}, cwd: "/" });\n' +
      'const streams: readonly UpReport["streams"][number][] = [];\n' +
      'console.log(settings.ok, typeof up, PcacheError.name, streams.length);\n',
  );
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['--module', 'nodenext', '--strict', '--target', 'es2023', '--types', ''];
  await run(process.execPath, [tsc, ...options, file], { cwd: project.folder });
  const { stdout } = await run(process.execPath, [path.join(project.folder, 'use.mjs')]);
  expect(stdout.trim()).toBe('false function PcacheError 0');
});

it('has source maps that name our files, and the licences of what is bundled', async () => {
  const map = JSON.parse(await readFile(packaged('dist/chunks/deployment.js.map'), 'utf8'));
  expect(map.sources).toContainEqual(expect.stringMatching(/\/src\/operations\/up\.ts$/));
  const licences = await readFile(packaged('dist', LICENCES_FILE), 'utf8');
  expect(licensedPackages(licences)).toEqual(
    expect.arrayContaining(['pg', 'yargs'].map((name) => expect.stringMatching(`^${name}@`))),
  );
  expect(licences).toContain('Brian Carlson');
});
