import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf, type StreamSource } from './stream-source.js';

/** The committed list of released migrations: `sha256sum --check` understands it. */
export const RELEASED_LIST = 'released.sha256';

export interface Released {
  readonly versions: readonly string[];
  /** SHA-256 of each released file, by its name from the root of the checkout. */
  readonly checksums: ReadonlyMap<string, string>;
}

const VERSION = /^# version (\S+)$/gm;
const CHECKSUM = /^([0-9a-f]{64}) {2}(\S+)$/gm;

export async function readReleased(root: string): Promise<Released> {
  return parseReleased(await readFile(join(root, RELEASED_LIST), 'utf8'));
}

export function parseReleased(list: string): Released {
  return {
    versions: [...list.matchAll(VERSION)].map(([, version]) => version as string),
    checksums: new Map(
      [...list.matchAll(CHECKSUM)].map(([, sum, file]) => [file as string, sum as string]),
    ),
  };
}

/** What cutting a version adds to the list: each file that no earlier version released. */
export function releaseEntry(
  version: string,
  released: Released,
  sources: readonly StreamSource[],
): string {
  const lines = [...checksumsOf(sources)]
    .filter(([file]) => !released.checksums.has(file))
    .map(([file, sum]) => `${sum}  ${file}\n`);
  return `\n# version ${version}\n${lines.join('')}`;
}

export function checksumsOf(sources: readonly StreamSource[]): Map<string, string> {
  return new Map(
    sources.flatMap(({ stream, migrations }) =>
      migrations.flatMap(({ name, up, down }) => {
        const files = filesOf(stream, name);
        return [
          [files.up, sha256(up)],
          [files.down, sha256(down)],
        ] as const;
      }),
    ),
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
