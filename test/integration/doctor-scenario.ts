import { escapeIdentifier, type QueryResultRow } from 'pg';
import { expect } from 'vitest';
import type { CheckResult, DoctorReport } from '../../src/doctor/check-result.js';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { up } from '../../src/operations/up.js';
import { cronSchemaName } from '../../src/settings/cron-schema.js';
import type { ConnectionSettings, Settings } from '../../src/settings/settings.js';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import {
  adminClient,
  createDatabase,
  createGroup,
  createRole,
  type Role,
} from '../harness/databases.js';

export const CRON_DATABASE = 'postgres';

/** Of the settings of pg_cron's that only some may see. */
export const ROOM_HIDDEN = 'whether they have room is not known';

/** What a deployment starts from: two databases, three roles, and the grants of the guide. */
export interface Scenario {
  settings: Settings;
  cluster: ClusterAddress;
}

export async function createScenario(
  cluster: ClusterAddress,
  changes: Partial<Settings> = {},
  prefix = '',
): Promise<Scenario> {
  const database = await createDatabase(`${prefix}work`, { cluster });
  const [migrator, cron, client] = [
    await createRole(`${prefix}migrator`, cluster),
    await createRole(`${prefix}cron`, cluster),
    await createRole(`${prefix}client`, cluster),
  ];
  const fragmentRole = await createGroup(`${prefix}fragments`, cluster);
  const as = (role: Role, name: string): ConnectionSettings => ({
    host: cluster.host,
    port: cluster.port,
    user: role.name,
    password: role.password,
    database: name,
    ssl: { mode: 'disable' },
  });
  const settings: Settings = {
    mode: 'cross',
    transport: 'deploy',
    work: as(migrator, database),
    cron: as(cron, CRON_DATABASE),
    client: as(client, database),
    admin: undefined,
    planner: undefined,
    link: { host: '127.0.0.1', port: undefined },
    fragmentRole,
    schema: 'partitioncache',
    clientSchema: 'public',
    cronSchema: cronSchemaName('partitioncache', database),
    queuePrefix: 'queue',
    tablePrefix: 'cache',
    cacheBackend: 'array',
    ...changes,
  };
  const scenario = { settings, cluster };
  const [migrates, schedules, uses] = [migrator, cron, client].map(({ name }) =>
    escapeIdentifier(name),
  );

  await asAdmin(scenario, database, [
    `GRANT CREATE ON DATABASE ${escapeIdentifier(database)} TO ${migrates}`,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${migrates}, ${uses}`,
    `GRANT USAGE ON SCHEMA public TO ${schedules}, ${escapeIdentifier(fragmentRole)}`,
    `GRANT ${escapeIdentifier(fragmentRole)} TO ${migrates}`,
  ]);
  await asAdmin(scenario, CRON_DATABASE, [
    `GRANT CREATE ON DATABASE ${escapeIdentifier(CRON_DATABASE)} TO ${schedules}`,
  ]);
  return scenario;
}

/** What the guide's "security hardening" grants. */
export async function grantCron(scenario: Scenario): Promise<void> {
  const { settings } = scenario;
  await asAdmin(scenario, settings.cron.database, [
    `GRANT USAGE ON SCHEMA cron TO ${settings.cron.user}`,
    `GRANT EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean) TO ${settings.cron.user}`,
    `GRANT EXECUTE ON FUNCTION cron.unschedule(bigint) TO ${settings.cron.user}`,
  ]);
}

export function withAdmin({ settings, cluster }: Scenario): Settings {
  return { ...settings, admin: { user: cluster.adminUser, password: cluster.adminPassword } };
}

export async function deploy(settings: Settings): Promise<void> {
  await up(settings, {
    streams: ['work', 'cron'],
    waitSeconds: 5,
    drainSeconds: 5,
    onWait() {},
    log() {},
  });
}

export async function asAdmin<R extends QueryResultRow>(
  { cluster }: Pick<Scenario, 'cluster'>,
  database: string,
  statements: readonly string[],
): Promise<R[]> {
  const client = await adminClient(database, cluster);
  try {
    let rows: R[] = [];
    for (const statement of statements) rows = (await client.query<R>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

export function examine(settings: Settings): Promise<DoctorReport> {
  return runDoctor(settings, { streams: ['work', 'cron'] });
}

export async function examineOne(settings: Settings, id: string): Promise<CheckResult> {
  return find(await examine(settings), id);
}

export function find({ checks }: DoctorReport, id: string): CheckResult {
  const found = checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

/** The ids of the checks that are neither ok nor skipped, but for what roles with minimal grants can't know. */
export function complaints({ checks }: DoctorReport): string[] {
  return checks
    .filter(({ status }) => status === 'failed' || status === 'warning')
    .filter(({ id, detail }) => id !== 'job-capacity' || !detail.includes(ROOM_HIDDEN))
    .map(({ id }) => id);
}

/** Does by hand what the report says, like someone who pastes its lines. */
export async function runRemedy(
  scenario: Pick<Scenario, 'cluster'>,
  { remedy }: CheckResult,
): Promise<void> {
  if (remedy?.kind !== 'sql') throw new Error(`no SQL in ${JSON.stringify(remedy)}`);
  await asAdmin(scenario, remedy.database, remedy.lines);
}

export function remedyText({ remedy }: CheckResult): string {
  return remedy?.lines.join('\n') ?? '';
}

const FINGERPRINT = `
  SELECT md5(string_agg(line, E'\\n' ORDER BY line)) AS fingerprint FROM (
    SELECT (oid, relname, relnamespace, relowner, relacl)::text AS line FROM pg_class
    UNION ALL SELECT (oid, proname, proowner, proacl)::text FROM pg_proc
    UNION ALL SELECT (oid, nspname, nspowner, nspacl)::text FROM pg_namespace
    UNION ALL SELECT (oid, datname, datacl)::text FROM pg_database
    UNION ALL SELECT (oid, extname, extversion)::text FROM pg_extension
    UNION ALL SELECT (oid, srvname)::text FROM pg_foreign_server
    UNION ALL SELECT (oid, fdwname, fdwacl)::text FROM pg_foreign_data_wrapper
    UNION ALL SELECT (oid, rolname, rolconfig)::text FROM pg_roles
  ) AS catalog`;

/** Covers everything that a doctor could have changed in both databases. */
export async function fingerprint(scenario: Scenario): Promise<string[]> {
  const { work, cron } = scenario.settings;
  const rows = [
    await asAdmin<{ fingerprint: string }>(scenario, work.database, [FINGERPRINT]),
    await asAdmin<{ fingerprint: string }>(scenario, cron.database, [FINGERPRINT]),
  ];
  return rows.flat().map(({ fingerprint }) => fingerprint);
}

/** Fails unless the check has this status. */
export function expectStatus(check: CheckResult, status: CheckResult['status']): void {
  expect(check.status, `${check.id}: ${check.detail}\n${remedyText(check)}`).toBe(status);
}
