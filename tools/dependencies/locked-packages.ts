/** A package that the lockfile names. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** The packages that ask for it. */
  readonly wantedBy: readonly string[];
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** What `npm install --omit=dev` installs by this lockfile. */
export function productionPackages(lock: Lock): LockedPackage[] {
  return packagesOf(lock, (_, { dev }) => !dev);
}

/** Those that are named so: `<name>@<version>`. */
export function namedPackages(lock: Lock, named: ReadonlySet<string>): LockedPackage[] {
  return packagesOf(lock, (place, { version }) => named.has(`${nameOf(place)}@${version}`));
}

/** Copies of one version are one package. */
function packagesOf(
  { packages }: Lock,
  isMeant: (place: string, entry: LockEntry) => boolean,
): LockedPackage[] {
  const places = Object.entries(packages).filter(
    ([place, entry]) => place !== '' && isMeant(place, entry),
  );
  const askers = (place: string) =>
    ['', ...places.map(([other]) => other)]
      .filter((other) => asksFor(packages[other], other, place, packages))
      .map((other) => (other === '' ? 'pcache-migrate' : nameOf(other)));
  const byVersion = new Map<string, LockedPackage>();
  for (const [place, { version = '', license = 'not stated' }] of places) {
    const name = nameOf(place);
    const known = byVersion.get(`${name}@${version}`)?.wantedBy ?? [];
    const wantedBy = [...new Set([...known, ...askers(place)])].sort();
    byVersion.set(`${name}@${version}`, { name, version, licence: license, wantedBy });
  }
  return [...byVersion.values()].sort(
    (a, b) => compare(a.name, b.name) || compare(a.version, b.version),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function nameOf(place: string): string {
  return place.replace(/^.*node_modules\//, '');
}

function asksFor(
  entry: LockEntry | undefined,
  from: string,
  place: string,
  packages: Lock['packages'],
): boolean {
  const name = nameOf(place);
  const asks = {
    // Of a package that is installed, the lockfile has none.
    ...entry?.devDependencies,
    ...entry?.peerDependencies,
    ...entry?.optionalDependencies,
    ...entry?.dependencies,
  };
  return asks[name] !== undefined && resolve(name, from, packages) === place;
}

/** Where Node finds the package: in the nearest node_modules upwards. */
function resolve(name: string, from: string, packages: Lock['packages']): string | undefined {
  const here = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (packages[here] !== undefined) return here;
  if (from === '') return undefined;
  return resolve(name, from.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, ''), packages);
}
