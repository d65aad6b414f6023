import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  COMMANDS_MEASURED,
  DEPENDENCY_PAGE,
  dependencyPage,
} from '../../tools/dependencies/dependency-page.js';
import { type Lock, nameOf, productionPackages } from '../../tools/dependencies/locked-packages.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { createSite } from '../harness/deployment.js';

const HOOK = fileURLToPath(new URL('../../tools/dependencies/note-loaded.js', import.meta.url));
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
let cli: BuiltCli;

beforeAll(async () => {
  cli = await buildCli();
});

afterAll(() => cli.remove());

it('the committed list is what is installed, and what of it the commands load', async () => {
  const site = await createSite();
  const note = path.join(cli.folder, 'loaded');
  for (const command of COMMANDS_MEASURED) {
    const code = await exitCodeOf(command, { ...site.environment(), NOTE_LOADED: note });
    expect(code, command.join(' ')).toBe(0);
  }
  const loaded = loadedPackages(readFileSync(note, 'utf8').split('\n'));
  expect(loaded).toContain(`pg@${versionAt('node_modules/pg')}`);

  const page = dependencyPage(productionPackages(lock), new Set(loaded));
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

/** Development packages that are loaded would be missing in the list: then the lockfile is wrong. */
function loadedPackages(urls: readonly string[]): string[] {
  const places = urls.flatMap(
    (url) =>
      /node_modules\/.*/.exec(url)?.[0].match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/) ?? [],
  );
  return [...new Set(places)].map((place) => `${nameOf(place)}@${versionAt(place)}`);
}

function versionAt(place: string): string {
  const version = lock.packages[place]?.version;
  if (version === undefined) throw new Error(`package-lock.json has no ${place}`);
  return version;
}
