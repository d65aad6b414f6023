export type UriVariable = 'DB_URL' | 'PG_CRON_URL' | 'PG_QUEUE_URL';
export type UriPart = 'host' | 'port' | 'user' | 'password' | 'database';

export interface Variable {
  readonly name: string;
  readonly group: string;
  readonly meaning: string;
  readonly secret?: true;
  /** A connection URI: its password is masked, the rest is shown. */
  readonly uri?: true;
  readonly default?: string;
  /** The variable whose value applies when this one is not set. */
  readonly fallback?: string;
  readonly partOf?: readonly [UriVariable, UriPart];
  /** When the variable must be set: empty means always, absent means never. */
  readonly required?: string;
  /** A value for .env.example; without one, the line is commented out there. */
  readonly example?: string;
}

const WORK = 'Work database: queue, cache, processor and its settings';
const CRON = 'pg_cron database: where the extension pg_cron is installed';
const QUEUE = "The application's connection: must name the same database as DB_*";
const CACHE = 'Cache and queue tables';
const PACKAGE = 'This package';
const ADMIN = 'Administrator: optional, for what only a superuser may do';
const PLAN = 'Plan: optional, for plan and verify by a role that may only read';
const LIBPQ = "PostgreSQL's own variables, for all connections";

const CATALOGUE = [
  {
    name: 'DB_HOST',
    group: WORK,
    meaning: 'Host name, address or directory of the Unix socket.',
    default: 'localhost',
    partOf: ['DB_URL', 'host'],
  },
  {
    name: 'DB_PORT',
    group: WORK,
    meaning: 'Port.',
    default: '5432',
    partOf: ['DB_URL', 'port'],
  },
  {
    name: 'DB_USER',
    group: WORK,
    meaning: 'The migrator: the role that owns what is deployed.',
    required: 'unless DB_URL has it',
    example: 'your_username',
    partOf: ['DB_URL', 'user'],
  },
  {
    name: 'DB_PASSWORD',
    group: WORK,
    meaning: 'Its password.',
    secret: true,
    example: 'your_password',
    fallback: 'PGPASSWORD',
    partOf: ['DB_URL', 'password'],
  },
  {
    name: 'DB_NAME',
    group: WORK,
    meaning: 'Name of the work database.',
    required: 'unless DB_URL has it',
    example: 'partition_cache_db',
    partOf: ['DB_URL', 'database'],
  },
  {
    name: 'DB_URL',
    group: WORK,
    meaning:
      'Connection URI instead of the five above: postgresql://user:password@host:port/database?sslmode=…',
    uri: true,
  },
  {
    name: 'PG_CRON_HOST',
    group: CRON,
    meaning: 'Host; has to be the same server as DB_HOST.',
    fallback: 'DB_HOST',
    partOf: ['PG_CRON_URL', 'host'],
  },
  {
    name: 'PG_CRON_PORT',
    group: CRON,
    meaning: 'Port.',
    fallback: 'DB_PORT',
    partOf: ['PG_CRON_URL', 'port'],
  },
  {
    name: 'PG_CRON_USER',
    group: CRON,
    meaning: 'The cron role: schedules the jobs, and the jobs run as it.',
    fallback: 'DB_USER',
    partOf: ['PG_CRON_URL', 'user'],
  },
  {
    name: 'PG_CRON_PASSWORD',
    group: CRON,
    meaning: 'Its password.',
    secret: true,
    fallback: 'DB_PASSWORD',
    partOf: ['PG_CRON_URL', 'password'],
  },
  {
    name: 'PG_CRON_DATABASE',
    group: CRON,
    meaning:
      "The server's cron.database_name; the name of the work database means single-database mode.",
    default: 'postgres',
    partOf: ['PG_CRON_URL', 'database'],
  },
  {
    name: 'PG_CRON_URL',
    group: CRON,
    meaning: 'Connection URI instead of the five above.',
    uri: true,
  },
  {
    name: 'PG_QUEUE_HOST',
    group: QUEUE,
    meaning: 'Host.',
    fallback: 'DB_HOST',
    partOf: ['PG_QUEUE_URL', 'host'],
  },
  {
    name: 'PG_QUEUE_PORT',
    group: QUEUE,
    meaning: 'Port.',
    fallback: 'DB_PORT',
    partOf: ['PG_QUEUE_URL', 'port'],
  },
  {
    name: 'PG_QUEUE_USER',
    group: QUEUE,
    meaning: 'The client role: the application that fills the queue and reads the cache.',
    fallback: 'DB_USER',
    partOf: ['PG_QUEUE_URL', 'user'],
  },
  {
    name: 'PG_QUEUE_PASSWORD',
    group: QUEUE,
    meaning: 'Its password.',
    secret: true,
    fallback: 'DB_PASSWORD',
    partOf: ['PG_QUEUE_URL', 'password'],
  },
  {
    name: 'PG_QUEUE_DB',
    group: QUEUE,
    meaning: 'Database.',
    fallback: 'DB_NAME',
    partOf: ['PG_QUEUE_URL', 'database'],
  },
  {
    name: 'PG_QUEUE_URL',
    group: QUEUE,
    meaning: 'Connection URI instead of the five above.',
    uri: true,
  },
  {
    name: 'CACHE_BACKEND',
    group: CACHE,
    meaning: 'postgresql_array, postgresql_bit or postgresql_roaringbit.',
    required: '',
    example: 'postgresql_array',
  },
  {
    name: 'PG_ARRAY_CACHE_TABLE_PREFIX',
    group: CACHE,
    meaning: 'Prefix of the cache tables of the array backend.',
    required: 'when CACHE_BACKEND=postgresql_array',
    example: 'my_cache',
  },
  {
    name: 'PG_BIT_CACHE_TABLE_PREFIX',
    group: CACHE,
    meaning: 'Prefix of the cache tables of the bit backend.',
    required: 'when CACHE_BACKEND=postgresql_bit',
  },
  {
    name: 'PG_ROARINGBIT_CACHE_TABLE_PREFIX',
    group: CACHE,
    meaning: 'Prefix of the cache tables of the roaringbit backend.',
    required: 'when CACHE_BACKEND=postgresql_roaringbit',
  },
  {
    name: 'PG_QUEUE_TABLE_PREFIX',
    group: CACHE,
    meaning: 'Prefix of the queue and processor tables.',
    default: 'partitioncache_queue',
  },
  {
    name: 'PCACHE_SCHEMA',
    group: PACKAGE,
    meaning: "The package's own schema in the work database; one per deployment.",
    default: 'partitioncache',
  },
  {
    name: 'PCACHE_CLIENT_SCHEMA',
    group: PACKAGE,
    meaning: 'The schema where the application finds its tables and functions.',
    default: 'public',
  },
  {
    name: 'PCACHE_CRON_TRANSPORT',
    group: PACKAGE,
    meaning:
      'How changed settings reach pg_cron in another database: deploy (by pcache-migrate sync) or link (at once, by dblink).',
    default: 'deploy',
  },
  {
    name: 'PCACHE_LINK_HOST',
    group: PACKAGE,
    meaning: 'With link: the host by which the server reaches itself.',
    default: 'localhost',
  },
  {
    name: 'PCACHE_LINK_PORT',
    group: PACKAGE,
    meaning: "With link: the port by which the server reaches itself; unset: the server's own.",
  },
  {
    name: 'PG_FRAGMENT_ROLE',
    group: PACKAGE,
    meaning:
      'The fragment role: a role without LOGIN whose rights fragments have; unset: those of the cron role.',
    example: 'pcache_fragments',
  },
  {
    name: 'PCACHE_RELEASE_NOTE',
    group: PACKAGE,
    meaning:
      'Where a release comes from, kept with it; unset: the commit and the address of the job, where a CI names them (GitHub, GitLab, Jenkins, CircleCI, Azure, Buildkite, Bitbucket).',
  },
  {
    name: 'PG_ADMIN_USER',
    group: ADMIN,
    meaning: 'A superuser, for CREATE EXTENSION and grants; unset: the lines to run are printed.',
  },
  {
    name: 'PG_ADMIN_PASSWORD',
    group: ADMIN,
    meaning: 'Its password.',
    secret: true,
    fallback: 'PGPASSWORD',
  },
  {
    name: 'PG_PLAN_USER',
    group: PLAN,
    meaning:
      'The role that plan and verify --as-planner connect as, in both databases; reading is enough. Unset: migrator and cron role.',
  },
  {
    name: 'PG_PLAN_PASSWORD',
    group: PLAN,
    meaning: 'Its password.',
    secret: true,
    fallback: 'PGPASSWORD',
  },
  {
    name: 'PGPASSWORD',
    group: LIBPQ,
    meaning: 'Password where none is given above.',
    secret: true,
  },
  {
    name: 'PGPASSFILE',
    group: LIBPQ,
    meaning: 'Password file, asked when no variable has the password; unset: ~/.pgpass.',
  },
  {
    name: 'PGSSLMODE',
    group: LIBPQ,
    meaning: 'disable, allow, prefer, require, verify-ca or verify-full.',
    default: 'prefer',
  },
  {
    name: 'PGSSLROOTCERT',
    group: LIBPQ,
    meaning:
      'File of the certificate authorities to trust, or the word system; unset: ~/.postgresql/root.crt, if present.',
  },
  {
    name: 'PGSSLCERT',
    group: LIBPQ,
    meaning: "File of the client's certificate; unset: ~/.postgresql/postgresql.crt, if present.",
  },
  {
    name: 'PGSSLKEY',
    group: LIBPQ,
    meaning: "File of the client's key; unset: ~/.postgresql/postgresql.key, if present.",
  },
] as const satisfies readonly Variable[];

export type VariableName = (typeof CATALOGUE)[number]['name'];

export interface CatalogueEntry extends Variable {
  readonly name: VariableName;
  readonly fallback?: VariableName;
}

/** All variables, in the order in which they are documented and printed. */
export const VARIABLES: readonly CatalogueEntry[] = CATALOGUE;

const BY_NAME: ReadonlyMap<VariableName, CatalogueEntry> = new Map(
  VARIABLES.map((variable) => [variable.name, variable]),
);

export function variable(name: VariableName): CatalogueEntry {
  return BY_NAME.get(name) as CatalogueEntry;
}
