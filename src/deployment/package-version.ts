import { readFileSync } from 'node:fs';

// src/deployment and dist/deployment lie equally deep, so this holds in a checkout, in the build and in an installed tarball.
const MANIFEST = new URL('../../package.json', import.meta.url);

export function version(): string {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')).version;
}
