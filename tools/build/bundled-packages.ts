import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A package of which something is in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly author: string;
  /** The text of its licence; undefined if it says none. */
  readonly text: string | undefined;
}

const PACKAGE_FOLDER = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/** By name and version; `modules` are the files that were bundled. */
export function bundledPackages(modules: readonly string[]): BundledPackage[] {
  const folders = new Set(modules.flatMap((module) => PACKAGE_FOLDER.exec(module)?.[0] ?? []));
  // Copies of one version are one package.
  const packages = new Map([...folders].map(read).map((one) => [nameAndVersion(one), one]));
  return [...packages.keys()].sort().flatMap((key) => packages.get(key) ?? []);
}

export function nameAndVersion({
  name,
  version,
}: Pick<BundledPackage, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

function read(folder: string): BundledPackage {
  const { name, version, license, author } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  return {
    name,
    version,
    licence: license,
    author: (typeof author === 'string' ? author : author?.name) ?? 'its contributors',
    text: licenceText(folder),
  };
}

/** Of its own, or what its README says. */
function licenceText(folder: string): string | undefined {
  const files = readdirSync(folder);
  const read = (name: RegExp) => {
    const file = files.find((entry) => name.test(entry));
    return file && readFileSync(path.join(folder, file), 'utf8').trim();
  };
  return (
    read(/^licen[cs]e(\.\w+)?$/i) ??
    /^#+ *licen[cs]e$.*/ims.exec(read(/^readme(\.\w+)?$/i) ?? '')?.[0].trim()
  );
}
