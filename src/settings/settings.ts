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
  mode: SslMode;
  rootCert?: string;
  cert?: string;
  key?: string;
}

/** The variable that gave each value, so that a failed connection can name what to correct. */
export interface ConnectionVariables {
  host: string;
  port: string;
  user: string;
  password: string;
  database: string;
}

export interface ConnectionSettings {
  host: string;
  port: number;
  user: string;
  password: string | undefined;
  database: string;
  ssl: SslSettings;
  /** Where to look for the password when there is none above (PGPASSFILE, ~/.pgpass). */
  passwordFile?: string;
  variables?: ConnectionVariables;
}

export interface AdministratorSettings {
  user: string;
  password: string | undefined;
}

export interface LinkSettings {
  /** The cron database as the server reaches itself. */
  host: string;
  /** Undefined: the port the server itself listens on. */
  port: number | undefined;
}

export type Mode = 'single' | 'cross';
export type Transport = 'direct' | 'link' | 'deploy';

export interface Settings {
  mode: Mode;
  transport: Transport;
  work: ConnectionSettings;
  cron: ConnectionSettings;
  client: ConnectionSettings;
  admin: AdministratorSettings | undefined;
  link: LinkSettings;
  schema: string;
  clientSchema: string;
  cronSchema: string;
  queuePrefix: string;
  tablePrefix: string;
  cacheBackend: CacheBackend;
}

/** The same server and database as `connection`, under the administrator's role. */
export function asAdministrator(
  connection: ConnectionSettings,
  admin: AdministratorSettings,
): ConnectionSettings {
  return {
    ...connection,
    user: admin.user,
    password: admin.password,
    ...(connection.variables && {
      variables: {
        ...connection.variables,
        user: 'PG_ADMIN_USER',
        password: 'PG_ADMIN_PASSWORD',
      },
    }),
  };
}
