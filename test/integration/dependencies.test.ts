import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { licensedPackages } from '../../tools/build/licences-text.js';
import { LICENCES_FILE } from '../../tools/build/third-party-licences.js';
import {
  COMMANDS_MEASURED,
  DEPENDENCY_PAGE,
  dependencyPage,
} from '../../tools/dependencies/dependency-page.js';
import {
  type Lock,
  namedPackages,
  productionPackages,
} from '../../tools/dependencies/locked-packages.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { createSite } from '../harness/deployment.js';

const HOOK = fileURLToPath(new URL('../../tools/dependencies/note-loaded.js', import.meta.url));
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
let cli: BuiltCli;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

it('the committed list is what is bundled and installed, and the commands load none of the latter', async () => {
  const site = await createSite();
  const note = path.join(cli.folder, 'loaded');
  for (const command of COMMANDS_MEASURED) {
    const code = await exitCodeOf(command, { ...site.environment(), NOTE_LOADED: note });
    expect(code, command.join(' ')).toBe(0);
  }
  const loaded = readFileSync(note, 'utf8').split('\n');
  expect(loaded).toContainEqual(expect.stringMatching(/dist\/chunks\/deployment\.js$/));
  expect(loaded.filter((url) => url.includes('node_modules'))).toEqual([]);

  const bundled = licensedPackages(
    readFileSync(path.join(cli.folder, 'dist', LICENCES_FILE), 'utf8'),
  );
  expect(bundled).toContain(`pg@${lock.packages['node_modules/pg']?.version}`);
  const page = dependencyPage(namedPackages(lock, new Set(bundled)), productionPackages(lock));
  if (process.env.PCACHE_WRITE_DEPENDENCIES === '1') writeFileSync(DEPENDENCY_PAGE, page);
  expect(readFileSync(DEPENDENCY_PAGE, 'utf8'), 'renew it: npm run dependencies').toBe(page);
});

function exitCodeOf(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', HOOK, cli.main, ...command],
      { cwd: cli.folder, env: { PATH: process.env.PATH, ...env } },
      () => resolve(child.exitCode ?? -1),
    );
  });
}
