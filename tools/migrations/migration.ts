import { parseArgs } from 'node:util';
import type { StreamName } from '../../src/migrations/streams.js';
import { changedRoutines, nextPair } from './next-pair.js';
import { refreshPins } from './refresh-pins.js';
import { readReleased } from './released.js';
import { reportingSourceErrors } from './reporting-source-errors.js';
import {
  filesOf,
  folders,
  readStreamSource,
  readStreamSources,
  type StreamSource,
  streamNames,
  writePair,
} from './stream-source.js';

const usage = `Usage: npm run migration [-- <name> [--stream work|cron]]

Without a name: brings the text of the routines in migrations that are not released yet up to date.
With a name (lower-case words joined by _): writes the next migration, with the new text of every routine
that changed in its up, and the text before in its down. --stream is needed where no routine has changed.
`;

const say = (line: string) => console.log(line);

/** Returns the exit code. */
export async function main(args: readonly string[], root = process.cwd()): Promise<number> {
  const wish = parseWish(args);
  if (typeof wish === 'string') {
    process.stderr.write(`${wish}\n\n${usage}`);
    return 2;
  }
  const { name, stream } = wish;
  return reportingSourceErrors(() =>
    name === undefined ? refresh(root) : write(root, name, stream),
  );
}

interface Wish {
  readonly name: string | undefined;
  readonly stream: StreamName | undefined;
}

function parseWish(args: readonly string[]): Wish | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { stream: { type: 'string' } },
      allowPositionals: true,
    });
    const [name, ...more] = positionals;
    if (more.length > 0) return `One name, not ${positionals.length}: join its words by _.`;
    if (name !== undefined && !/^[a-z][a-z0-9_]*$/.test(name)) {
      return `"${name}" is no name for a migration: use lower-case words joined by _.`;
    }
    const stream = streamNames.find((known) => known === values.stream);
    if (values.stream !== undefined && stream === undefined) {
      return `There is no stream "${values.stream}"; there are work and cron.`;
    }
    return { name, stream };
  } catch (error) {
    return (error as Error).message;
  }
}

async function refresh(root: string): Promise<number> {
  const released = await readReleased(root);
  for (const source of await readStreamSources(root)) {
    const pairs = refreshPins(source, ({ name }) =>
      released.checksums.has(filesOf(source.stream, name).up),
    );
    for (const pair of pairs) {
      const before = source.migrations.find(({ name }) => name === pair.name);
      for (const file of await writePair(root, source.stream, pair, before))
        say(`refreshed ${file}`);
    }
  }
  const left = (await readStreamSources(root)).flatMap(changedFiles);
  if (left.length === 0) return 0;
  process.stderr.write(
    `No unreleased migration holds the text of:\n${left.map((file) => `  ${file}\n`).join('')}` +
      'Write one with: npm run migration -- <name>\n',
  );
  return 1;
}

async function write(root: string, title: string, stream: StreamName | undefined): Promise<number> {
  const sources =
    stream === undefined ? await readStreamSources(root) : [await readStreamSource(root, stream)];
  const affected =
    stream === undefined ? sources.filter((source) => changedFiles(source).length > 0) : sources;
  if (affected.length === 0) {
    process.stderr.write(
      'No routine has changed. For a change of tables, say of which stream: --stream work or --stream cron.\n',
    );
    return 1;
  }
  for (const source of affected) {
    const files = await writePair(root, source.stream, nextPair(source, title));
    for (const file of files) say(`wrote ${file}`);
  }
  say('Say why in their first line, check the order of what they do, then run: npm run schema');
  return 0;
}

function changedFiles(source: StreamSource): string[] {
  return changedRoutines(source).map(
    ({ name }) => `${folders[source.stream].routines}/${name}.sql`,
  );
}
