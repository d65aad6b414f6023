import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation, hasSchema } from '../database/catalogue.js';
import type { ConnectionError } from '../database/connection-error.js';
import { readKeptSizes } from '../deployment/kept-tables.js';
import { ownDataDropped } from '../deployment/own-data.js';
import { version } from '../deployment/package-version.js';
import { placeholderValues } from '../deployment/placeholder-values.js';
import { PackageTooOldError, requireRecentPackage } from '../deployment/require-deployed.js';
import { readStreamPlan, readStreamState, type StreamPlan } from '../deployment/stream-plan.js';
import type { DoctorReport } from '../doctor/check-result.js';
import { LEDGER_TABLE } from '../migrations/ledger.js';
import { notRecorded } from '../migrations/ledger-error.js';
import type { Direction } from '../migrations/migration-error.js';
import type { Migration } from '../migrations/read-migrations.js';
import { selectUp } from '../migrations/select-migrations.js';
import { splitStatements } from '../migrations/split-statements.js';
import type { StreamName } from '../migrations/streams.js';
import { objectScope } from '../objects/scope.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';
import { readAsRecorded } from './as-recorded.js';
import { changedObjects } from './changed-objects.js';
import { type Known, known, unknown } from './known.js';
import { locksAtStake } from './locks-at-stake.js';
import { readLocks } from './measured-locks.js';
import type { Plan, PlannedMigration, PlannedStream, Unknowable, Unknown } from './plan.js';
import { type Preparation, plannedAdministrator, preparationOf } from './planned-administrator.js';
import { plannedFragmentRole, plannedLink } from './planned-connections.js';
import { jobsAfterRollback, plannedJobs } from './planned-jobs.js';
import { plannedKept } from './planned-kept.js';
import {
  type ReadOnlyDatabases,
  withReachedReadOnlyDatabases,
  withReadOnlyDatabases,
} from './read-only-databases.js';
import { type ReleasedSql, readReleasedSql } from './released-sql.js';

export interface UpRequest {
  readonly streams: readonly StreamName[];
  /** The last migration to apply; only with a single stream. */
  readonly to?: string | undefined;
}

export interface DownRequest {
  readonly streams: readonly StreamName[];
  /** Whether tables are dropped with their rows instead of being kept. */
  readonly dropData?: boolean | undefined;
  /** Whether what earlier rollbacks kept is dropped, too. */
  readonly givesUpKept: (states: readonly StreamPlan[]) => boolean;
  /** Chooses what is rolled back, in the order in which that is done, of what can be reached. */
  readonly select: (
    states: readonly StreamPlan[],
    work: ClientBase,
    cronFailure: ConnectionError | undefined,
  ) => Promise<readonly RollbackOfStream[]>;
}

export interface RollbackOfStream {
  readonly stream: StreamName;
  readonly migrations: readonly string[];
}

/**
 * What `up` would do. Reads both databases, over connections that cannot write; `checks` are the doctor's, if they
 * were made a moment ago.
 */
export function readUpPlan(
  settings: Settings,
  { streams, to }: UpRequest,
  checks?: DoctorReport,
): Promise<Plan> {
  return withReadOnlyDatabases(settings, streams, async (databases) => {
    const found = await readStreams(databases, settings, ['work', 'cron']);
    const selected = found.map((stream) => ({
      ...stream,
      scripts: streams.includes(stream.plan.stream) ? pendingScripts(stream.plan, to) : [],
    }));
    const chosen = selected.filter(({ plan }) => streams.includes(plan.stream));
    const planned: PlannedStream[] = [];
    for (const stream of chosen) planned.push(await planStream(stream, settings, 'up'));
    const { work, cron } = databases;
    const isComplete = selected.every(
      ({ plan, scripts }) => scripts.length === plan.pending.length,
    );
    const connected = isComplete && streams.includes('cron') && cron ? { work, cron } : undefined;
    const sql = (name: StreamName) =>
      selected
        .filter(({ plan }) => plan.stream === name)
        .flatMap(({ scripts }) => scripts.map((script) => script.sql));
    const preparation =
      checks === undefined
        ? await plannedAdministrator(databases, settings, streams)
        : preparationOf(checks);
    const obstacles = [...selected.flatMap(({ plan }) => tooOld(plan)), ...preparation.obstacles];
    return assemble(
      settings,
      'up',
      planned,
      { ...preparation, obstacles },
      {
        fragmentRole: streams.includes('work')
          ? await plannedFragmentRole(work, settings, sql('work'))
          : known(null),
        link: connected ? await plannedLink(work, settings) : known(null),
        jobs: connected
          ? await plannedJobs(connected, settings, { work: sql('work'), cron: sql('cron') })
          : known([]),
        ...(await plannedKept(work, settings, selected.flatMap(selectedOfWork))),
        givenUp: [],
      },
    );
  });
}

/** What `down` would run: what the ledgers recorded. */
export function readDownPlan(
  settings: Settings,
  { streams, dropData, givesUpKept, select }: DownRequest,
): Promise<Plan> {
  return withReachedReadOnlyDatabases(settings, async (databases, cronFailure) => {
    const found = await readStreams(databases, settings, ['cron', 'work'], readStreamState);
    const chosen = found.filter(({ plan }) => streams.includes(plan.stream));
    const steps = await select(
      found.map(({ plan }) => plan),
      databases.work,
      cronFailure,
    );
    const planned: PlannedStream[] = [];
    for (const stream of chosen) {
      const names = steps.find((step) => step.stream === stream.plan.stream)?.migrations ?? [];
      const scripts = names.map((name) => recordedDown(stream, name));
      planned.push(await planStream({ ...stream, scripts }, settings, 'down'));
    }
    const sql = (name: StreamName) =>
      planned
        .filter(({ stream }) => stream === name)
        .flatMap(({ migrations }) => migrations.map((migration) => migration.sql));
    const { work, cron } = databases;
    const nothing: Preparation = { administrator: known([]), obstacles: [], unchecked: [] };
    const rolledBack = planned.flatMap(({ migrations }) => migrations);
    return assemble(settings, 'down', planned, nothing, {
      fragmentRole: known(null),
      link: known(null),
      jobs: cronFailure
        ? unknown(`the pg_cron database cannot be reached: ${cronFailure.message}`)
        : cron && rolledBack.length > 0
          ? await jobsAfterRollback({ work, cron }, settings, {
              work: sql('work'),
              cron: sql('cron'),
            })
          : known([]),
      kept: dropData
        ? []
        : [...rolledBack.flatMap(({ drops }) => drops), ...ownDataDropped(settings, sql('work'))],
      stillKept: [],
      givenUp: givesUpKept(found.map(({ plan }) => plan))
        ? await readKeptSizes(databases.work, settings)
        : [],
    });
  });
}

function selectedOfWork({ plan: { stream, migrations }, scripts }: Selected): readonly Migration[] {
  if (stream !== 'work') return [];
  return migrations.filter(({ name }) => scripts.some((script) => script.name === name));
}

interface ReadStream {
  readonly client: ClientBase;
  readonly plan: StreamPlan;
  readonly released: readonly ReleasedSql[];
}

interface Selected extends ReadStream {
  readonly scripts: readonly Script[];
}

type Script = Omit<PlannedMigration, 'locks'>;

async function readStreams(
  databases: ReadOnlyDatabases,
  settings: Settings,
  names: readonly StreamName[],
  read: typeof readStreamPlan = readStreamPlan,
): Promise<ReadStream[]> {
  const streams: ReadStream[] = [];
  for (const name of names) {
    const client = databases[name];
    if (client === undefined) continue;
    const plan = await read(client, settings, name);
    const released = await readReleasedSql(client, plan.schema, plan.applied);
    streams.push({ client, plan, released });
  }
  return streams;
}

function pendingScripts({ applied, migrations }: StreamPlan, to: string | undefined): Script[] {
  const names = selectUp(
    applied.map(({ name }) => name),
    migrations.map(({ name }) => name),
    to,
  );
  return migrations
    .filter(({ name }) => names.includes(name))
    .map(({ name, up: { sql, statements, inTransaction } }) => ({
      name,
      sql,
      statements: statements.length,
      inTransaction,
      drops: [],
    }));
}

function recordedDown({ plan, released }: ReadStream, name: string): Script {
  const record = released.find((found) => found.name === name);
  if (record === undefined) throw notRecorded(name, plan.schema);
  const { down, inTransaction, drops } = record;
  return {
    name,
    sql: down,
    statements: splitStatements(down).length,
    inTransaction,
    drops,
  };
}

async function planStream(
  { client, plan, released, scripts }: Selected,
  settings: Settings,
  direction: Direction,
): Promise<PlannedStream> {
  const { stream, database, schema, applied, migrations, newer } = plan;
  const planned: PlannedMigration[] = [];
  for (const script of scripts) {
    const migration = migrations.find(({ name }) => name === script.name);
    const locks = migration === undefined ? null : readLocks(migration);
    planned.push({
      ...script,
      locks: locks && (await locksAtStake(client, locks[direction], placeholderValues(settings))),
    });
  }
  return {
    stream,
    database,
    schema,
    applied: applied.map(({ name }) => {
      const record = released.find((found) => found.name === name);
      return {
        name,
        upChecksum: record?.upChecksum ?? null,
        downChecksum: record?.downChecksum ?? null,
      };
    }),
    newer: newer.map(({ name }) => name),
    preparation:
      direction === 'up' && scripts.length > 0 ? await preparationFor(client, schema) : [],
    migrations: planned,
    objects: await changedObjects(
      client,
      scripts.map(({ sql }) => sql),
      {
        scripts: released.map(({ up }) => up),
        isAsRecorded:
          scripts.length === 0
            ? () => null
            : await readAsRecorded(client, objectScope(settings, stream)),
      },
    ),
  };
}

function tooOld(plan: StreamPlan): string[] {
  try {
    requireRecentPackage(plan);
    return [];
  } catch (error) {
    if (!(error instanceof PackageTooOldError)) throw error;
    return [`${error.message} ${error.remedy ?? ''}`];
  }
}

/** As provideSchema and node-pg-migrate do it. */
async function preparationFor(client: ClientBase, schema: string): Promise<string[]> {
  return [
    ...((await hasSchema(client, schema)) ? [] : [`CREATE SCHEMA ${escapeIdentifier(schema)}`]),
    ...((await hasRelation(client, schema, LEDGER_TABLE))
      ? []
      : [
          `CREATE TABLE ${escapeIdentifier(schema)}.${escapeIdentifier(LEDGER_TABLE)} (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)`,
        ]),
  ];
}

interface Consequences {
  readonly fragmentRole: Known<Plan['fragmentRole']>;
  readonly link: Known<Plan['link']>;
  readonly jobs: Known<Exclude<Plan['jobs'], null>>;
  readonly kept: Plan['kept'];
  readonly stillKept: Plan['stillKept'];
  readonly givenUp: Plan['givenUp'];
}

function assemble(
  settings: Settings,
  direction: Direction,
  streams: readonly PlannedStream[],
  { administrator, obstacles, unchecked }: Preparation,
  { fragmentRole, link, jobs, kept, stillKept, givenUp }: Consequences,
): Plan {
  const asked: readonly (readonly [Unknowable, Known<unknown>])[] = [
    ['administrator', administrator],
    ['fragment-role', fragmentRole],
    ['jobs', jobs],
    ['link', link],
  ];
  return {
    direction,
    packageVersion: version(),
    mode: settings.mode,
    transport: settings.transport,
    names: namesIn(settings),
    streams,
    administrator: valueOrNull(administrator),
    fragmentRole: valueOrNull(fragmentRole),
    link: valueOrNull(link),
    jobs: valueOrNull(jobs),
    keptSchema: keptSchemaName(settings.schema),
    kept,
    stillKept,
    givenUp,
    unknown: asked.flatMap(([part, answer]): Unknown[] =>
      answer.isKnown ? [] : [{ part, reason: answer.reason }],
    ),
    obstacles,
    unchecked,
  };
}

function valueOrNull<T>(answer: Known<T>): T | null {
  return answer.isKnown ? answer.value : null;
}

function namesIn(settings: Settings): Record<string, string> {
  const placeholders = Object.entries(placeholderValues(settings)).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : value.map(escapeIdentifier).join('.'),
  ]);
  return {
    ...Object.fromEntries(placeholders),
    cron_database: settings.cron.database,
    fragment_role: settings.fragmentRole ?? '',
    ...(settings.transport === 'link' && {
      link: `${settings.link.host}:${settings.link.port ?? ''}`,
    }),
  };
}
