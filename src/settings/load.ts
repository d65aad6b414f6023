import { join, resolve } from 'node:path';
import { readCache } from './cache.js';
import { CLIENT, type ConnectionReading, CRON, readConnection, WORK } from './connection.js';
import { cronSchemaName } from './cron-schema.js';
import { type EnvironmentInput, readEnvironment } from './environment.js';
import { type Found, quoted } from './found.js';
import { parseHost } from './host.js';
import { keptSchemaName } from './kept-schema.js';
import { type Lookup, lookupIn, readUris } from './lookup.js';
import { refuseMisspelt } from './misspelt.js';
import { parseName, parseOwnSchema, parsePlainName, QUEUE_PREFIX_MAX_BYTES } from './names.js';
import { parsePort } from './port.js';
import { type Problem, Problems } from './problem.js';
import { type ResolvedVariable, resolvedVariables } from './resolved.js';
import { refuseOtherQueueDatabase } from './same-database.js';
import type { ConnectionSettings, LinkSettings, LoginSettings, Settings } from './settings.js';
import { modeOf, readTransport, transportIn } from './transport.js';
import type { VariableName } from './variables.js';

export type SettingsResult =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly resolved: readonly ResolvedVariable[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly Problem[];
      readonly resolved: readonly ResolvedVariable[];
    };

/** Reads and checks every variable, and reports all problems together. */
export function loadSettings(input: EnvironmentInput): SettingsResult {
  const problems = new Problems();
  const environment = readEnvironment(input, problems);
  refuseMisspelt(environment, problems);
  const uris = readUris(environment, problems);
  const lookup = lookupIn(environment, uris);
  const home = input.env.HOME || undefined;
  const settings = readSettings({
    lookup,
    uris,
    problems,
    cwd: input.cwd,
    home,
    passwordFile: passwordFile(lookup, input.cwd, home),
  });
  const resolved = resolvedVariables(lookup);
  return settings === undefined || problems.all.length > 0
    ? { ok: false, problems: problems.all, resolved }
    : { ok: true, settings, resolved };
}

function readSettings(reading: ConnectionReading): Settings | undefined {
  const { lookup, problems } = reading;
  const work = readConnection(WORK, reading);
  const cron = readConnection(CRON, reading);
  const client = readConnection(CLIENT, reading);
  refuseOtherQueueDatabase(lookup, problems);
  const admin = readLogin('ADMIN', lookup, problems);
  const planner = readLogin('PLAN', lookup, problems);
  const link = readLink(lookup, problems);
  const wanted = readTransport(lookup, problems);
  const mode = work && cron && modeOf(work, cron);
  const transport = mode && wanted && transportIn(mode, wanted, cron, problems);
  const cache = readCache(lookup, problems);
  const queuePrefix = parsed('PG_QUEUE_TABLE_PREFIX', lookup, (found) =>
    parsePlainName(found, QUEUE_PREFIX_MAX_BYTES, problems),
  );
  refuseQueueWithinCache(queuePrefix, cache?.tablePrefix, lookup, problems);
  const schema = parsed('PCACHE_SCHEMA', lookup, (found) => parseOwnSchema(found, problems));
  const clientSchema = parsed('PCACHE_CLIENT_SCHEMA', lookup, (found) =>
    parseName(found, 'schema', problems),
  );
  const fragmentRole = parsed('PG_FRAGMENT_ROLE', lookup, (found) =>
    parseName(found, 'role', problems),
  );
  refuseSharedRole(fragmentRole, { work, cron, client }, problems);
  const cronSchema = work && schema && cronSchemaName(schema, work.database);
  refuseSharedSchema(schema, mode === 'single' ? cronSchema : undefined, lookup, problems);

  if (!work || !cron || !client || !link || !mode || !transport || !cache) return undefined;
  if (!queuePrefix || !schema || !clientSchema || !cronSchema) return undefined;
  return {
    mode,
    transport,
    work,
    cron,
    client,
    admin,
    planner,
    link,
    fragmentRole,
    schema,
    clientSchema,
    cronSchema,
    queuePrefix,
    ...cache,
  };
}

/** A role that logs in to both databases, if the variables name one. */
function readLogin(
  who: 'ADMIN' | 'PLAN',
  lookup: Lookup,
  problems: Problems,
): LoginSettings | undefined {
  const variables = { user: `PG_${who}_USER`, password: `PG_${who}_PASSWORD` } as const;
  const password = lookup(variables.password);
  const user = parsed(variables.user, lookup, (found) => parseName(found, 'role', problems));
  if (user !== undefined) return { user, password: password?.value };
  if (password?.origin !== variables.password || lookup(variables.user)) return undefined;
  return problems.add(
    variables.user,
    `is not set, but ${variables.password} is (${password.source})`,
    `Set ${variables.user} to the role it belongs to, or unset ${variables.password}.`,
  );
}

function readLink(lookup: Lookup, problems: Problems): LinkSettings | undefined {
  const host = parsed('PCACHE_LINK_HOST', lookup, (found) => parseHost(found, problems));
  const port = parsed('PCACHE_LINK_PORT', lookup, (found) => parsePort(found, problems));
  return host === undefined ? undefined : { host, port };
}

function refuseSharedRole(
  fragmentRole: string | undefined,
  others: Record<'work' | 'cron' | 'client', ConnectionSettings | undefined>,
  problems: Problems,
): void {
  const parts = {
    work: 'migrator (DB_USER)',
    cron: 'cron role (PG_CRON_USER)',
    client: 'client role (PG_QUEUE_USER)',
  } as const;
  for (const part of ['work', 'cron', 'client'] as const) {
    if (fragmentRole === undefined || others[part]?.user !== fragmentRole) continue;
    problems.add(
      'PG_FRAGMENT_ROLE',
      `is the ${parts[part]} as well, so a fragment would have its rights`,
      'Give fragments a role of their own: CREATE ROLE pcache_fragments NOLOGIN;',
    );
    return;
  }
}

/** A table of the queue would have a name that a partition key can give to a table of the cache. */
function refuseQueueWithinCache(
  queuePrefix: string | undefined,
  tablePrefix: string | undefined,
  lookup: Lookup,
  problems: Problems,
): void {
  const found = lookup('PG_QUEUE_TABLE_PREFIX');
  if (found === undefined || queuePrefix === undefined || tablePrefix === undefined) return;
  if (!`${queuePrefix}_`.startsWith(`${tablePrefix}_cache_`)) return;
  problems.add(
    found.origin,
    `${quoted(found)} begins like the tables that partition keys name, ${tablePrefix}_cache_<key>`,
    `Choose a prefix that does not begin with ${tablePrefix}_cache.`,
  );
}

function refuseSharedSchema(
  schema: string | undefined,
  cronSchemaBesideIt: string | undefined,
  lookup: Lookup,
  problems: Problems,
): void {
  if (schema !== undefined && cronSchemaBesideIt === keptSchemaName(schema)) {
    problems.add(
      'PCACHE_SCHEMA',
      `gives the schema of the pg_cron side, ${cronSchemaBesideIt}, the name of that where down keeps tables`,
      'Choose another PCACHE_SCHEMA.',
    );
  }
  const client = lookup('PCACHE_CLIENT_SCHEMA');
  if (client === undefined) return;
  if (client.value === schema) {
    problems.add(
      'PCACHE_SCHEMA',
      `is the same as PCACHE_CLIENT_SCHEMA, ${quoted(client)}`,
      'Give the package a schema of its own, such as partitioncache.',
    );
  }
  if (schema !== undefined && client.value === keptSchemaName(schema)) {
    problems.add(
      'PCACHE_CLIENT_SCHEMA',
      `${quoted(client)} is the schema where the package keeps tables that down would drop`,
      'Choose another PCACHE_SCHEMA: that name is made from it.',
    );
  }
  if (client.value === cronSchemaBesideIt) {
    problems.add(
      'PCACHE_CLIENT_SCHEMA',
      `${quoted(client)} is the schema where the package keeps its view of pg_cron`,
      'Choose another PCACHE_SCHEMA: that name is made from it and the name of the database.',
    );
  }
}

function parsed<T>(
  name: VariableName,
  lookup: Lookup,
  parse: (found: Found) => T | undefined,
): T | undefined {
  const found = lookup(name);
  return found && parse(found);
}

function passwordFile(lookup: Lookup, cwd: string, home: string | undefined): string | undefined {
  const named = lookup('PGPASSFILE');
  if (named !== undefined) return resolve(cwd, named.value);
  return home && join(home, '.pgpass');
}
