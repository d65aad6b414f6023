import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RELEASED_LIST, readReleased, releaseEntry } from './released.js';
import { reportingSourceErrors } from './reporting-source-errors.js';
import { sourceProblems } from './source-problems.js';
import { readStreamSources } from './stream-source.js';

/**
 * Lists what the version in package.json releases, with checksums, in released.sha256: from then on no listed
 * file may change. Refuses while the migrations are not sound. `npm version` runs it. Returns the exit code.
 */
export async function main(_args: readonly string[] = [], root = process.cwd()): Promise<number> {
  return reportingSourceErrors(() => release(root));
}

async function release(root: string): Promise<number> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const released = await readReleased(root);
  const sources = await readStreamSources(root);
  const problems = sourceProblems(sources, released);
  if (released.versions.includes(version)) {
    problems.push(`Version ${version} is released already: give package.json the next one.`);
  }
  if (problems.length > 0) {
    process.stderr.write(
      `Version ${version} cannot be released:\n${problems.map((problem) => `  ${problem}\n`).join('')}`,
    );
    return 1;
  }
  const entry = releaseEntry(version, released, sources);
  await appendFile(join(root, RELEASED_LIST), entry);
  console.log(
    `${RELEASED_LIST} lists version ${version}: ${entry.trim().split('\n').length - 1} files.`,
  );
  return 0;
}
