export type CacheBackend = 'array' | 'bit' | 'roaringbit';

export const SSL_MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'verify-ca',
  'verify-full',
] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** File paths; every member means what it means to libpq. */
export interface SslSettings {
  readonly mode: SslMode;
  readonly rootCert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The variable that gave each value, so that a failed connection can name what to correct. */
export interface ConnectionVariables {
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: SslSettings;
  /** Where to look for the password when there is none above (PGPASSFILE, ~/.pgpass). */
  readonly passwordFile?: string;
  readonly variables?: ConnectionVariables;
}

/** Another role that logs in to both databases. */
export interface LoginSettings {
  readonly user: string;
  readonly password: string | undefined;
}

export interface LinkSettings {
  /** The host at which the server reaches its own cron database. */
  readonly host: string;
  /** Undefined means the port that the server listens on. */
  readonly port: number | undefined;
}

export type Mode = 'single' | 'cross';
export type Transport = 'direct' | 'link' | 'deploy';

export interface Settings {
  readonly mode: Mode;
  readonly transport: Transport;
  readonly work: ConnectionSettings;
  readonly cron: ConnectionSettings;
  readonly client: ConnectionSettings;
  readonly admin: LoginSettings | undefined;
  /** Whom `plan` connects as; undefined: as migrator and cron role. */
  readonly planner: LoginSettings | undefined;
  readonly link: LinkSettings;
  /** Whose rights fragments have; undefined: those of the cron role. */
  readonly fragmentRole: string | undefined;
  readonly schema: string;
  readonly clientSchema: string;
  readonly cronSchema: string;
  readonly queuePrefix: string;
  readonly tablePrefix: string;
  readonly cacheBackend: CacheBackend;
}

/** The same server and database as `connection`, under the administrator's role. */
export function asAdministrator(
  connection: ConnectionSettings,
  admin: LoginSettings,
): ConnectionSettings {
  return loggedInAs(connection, admin, 'ADMIN');
}

/** The same server and database as `connection`, under the role that plans, if there is one. */
export function asPlanner(
  connection: ConnectionSettings,
  planner: LoginSettings | undefined,
): ConnectionSettings {
  return planner === undefined ? connection : loggedInAs(connection, planner, 'PLAN');
}

function loggedInAs(
  { variables, ...connection }: ConnectionSettings,
  { user, password }: LoginSettings,
  who: 'ADMIN' | 'PLAN',
): ConnectionSettings {
  return {
    ...connection,
    user,
    password,
    ...(variables && {
      variables: { ...variables, user: `PG_${who}_USER`, password: `PG_${who}_PASSWORD` },
    }),
  };
}
