import { fileURLToPath } from 'node:url';

export type StreamName = 'work' | 'cron';

export interface Stream {
  readonly name: StreamName;
  readonly directory: string;
}

// src/migrations and dist/migrations lie equally deep, so this holds in a checkout, in the build and in an installed tarball.
const PACKAGE_ROOT = new URL('../../', import.meta.url);

function stream(name: StreamName, directory: string): Stream {
  return { name, directory: fileURLToPath(new URL(directory, PACKAGE_ROOT)) };
}

export const streams: Readonly<Record<StreamName, Stream>> = {
  work: stream('work', 'migrations'),
  cron: stream('cron', 'cron-migrations'),
};
