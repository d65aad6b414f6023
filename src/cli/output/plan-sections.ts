import { escapeIdentifier, escapeLiteral } from 'pg';
import { pasteable, shown } from '../../errors/shown.js';
import { span } from '../../migrations/span.js';
import type { PlanReport } from '../../operations/plan.js';
import { effectOf, type LockMode, strongest } from '../../plan/lock-modes.js';
import type { ChangedObject, LockAtStake, PlannedStream } from '../../plan/plan.js';
import { counted } from './text.js';

/** A part of a plan for people, in whatever form it is shown. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
  /** The full text of something that is summed up elsewhere. */
  readonly isDetail: boolean;
}

export type Block =
  /** Sentences of ours, a line each. What is in them from elsewhere is in `"…"` and shown escaped. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | {
      readonly kind: 'table';
      readonly headings: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | {
      readonly kind: 'code';
      readonly title: string;
      readonly language: 'sql' | 'diff';
      readonly text: string;
    };

/** What would happen, in a line or two. */
export function summaryOf(plan: PlanReport): string[] {
  return plan.streams.map(
    ({ stream, database, schema, migrations }) =>
      `${stream}: ${
        migrations.length === 0
          ? 'nothing to do'
          : `${counted(migrations.length, 'migration')} to ${plan.direction === 'up' ? 'apply' : 'roll back'}, ${span(migrations.map(({ name }) => name))},`
      } in database "${shown(database)}", schema "${shown(schema)}"`,
  );
}

export function sectionsOf(plan: PlanReport): Section[] {
  return [
    lines(
      'Not known',
      plan.unknown.map(({ part, reason }) => `${part}: ${shown(reason)}`),
    ),
    lines(
      'Refused until a person fixes this; how, pcache-migrate doctor says',
      plan.obstacles.map((line) => shown(line)),
    ),
    administrator(plan),
    locks(plan),
    objects(plan),
    jobs(plan),
    stillKept(plan),
    givenUp(plan),
    lines('Also', alsoChanged(plan)),
    lines(
      'Checked later, by up itself',
      plan.unchecked.map((title) => shown(title)),
    ),
    ...plan.streams.map(sqlOf),
  ].filter(({ blocks }) => blocks.length > 0);
}

function lines(title: string, all: readonly string[]): Section {
  return {
    title,
    isDetail: false,
    blocks: all.length === 0 ? [] : [{ kind: 'lines', lines: all }],
  };
}

function tabular(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): Section {
  return {
    title,
    isDetail: false,
    blocks: rows.length === 0 ? [] : [{ kind: 'table', headings, rows }],
  };
}

function administrator({ administrator: statements }: PlanReport): Section {
  return {
    title:
      'First, as an administrator (up runs them itself where PG_ADMIN_USER is set, and is refused otherwise)',
    isDetail: false,
    blocks: (statements ?? []).map(({ database, lines: all }) => ({
      kind: 'code',
      title: `in database "${shown(database)}"`,
      language: 'sql',
      text: all.join('\n'),
    })),
  };
}

/** Of each table that is there the strongest locks of the whole run, which holds them until its end. */
function locks({ streams }: PlanReport): Section {
  const all = streams.flatMap(({ migrations }) =>
    migrations.flatMap((migration) =>
      (migration.locks ?? [])
        .filter(({ bytes }) => bytes !== null)
        .map((lock) => ({ ...lock, migration: migration.name })),
    ),
  );
  const relations = [...new Set(all.map(({ relation }) => relation))];
  const unmeasured = streams.flatMap(({ migrations }) =>
    migrations.filter((migration) => migration.locks === null).map(({ name }) => shown(name)),
  );
  const hasMigrations = streams.some(({ migrations }) => migrations.length > 0);
  const notes = [
    ...(hasMigrations && relations.length === 0 && unmeasured.length === 0
      ? ['No table that is there is locked more than to read it.']
      : []),
    ...(unmeasured.length > 0 ? [`Unknown for ${unmeasured.join(', ')}: never measured.`] : []),
  ];
  return {
    title: 'Locks on tables that are there, held until the end of the run',
    isDetail: false,
    blocks: [
      ...(relations.length > 0
        ? [
            {
              kind: 'table' as const,
              headings: ['table', 'keeps waiting', 'lock', 'rows', 'size', 'migrations'],
              rows: relations.map((relation) =>
                lockRow(all.filter((lock) => lock.relation === relation)),
              ),
            },
          ]
        : []),
      ...(notes.length > 0 ? [{ kind: 'lines' as const, lines: notes }] : []),
    ],
  };
}

function lockRow(found: readonly (LockAtStake & { readonly migration: string })[]): string[] {
  const modes: LockMode[] = strongest(found.flatMap((lock) => lock.modes));
  const { relation = '', rows = null, bytes = null } = found[0] ?? {};
  return [
    shown(relation),
    effectOf(modes),
    modes.map((mode) => mode.replace(/Lock$/, '')).join(', '),
    // A view has neither.
    rows === null ? (bytes === 0 ? '-' : 'not counted') : `about ${rows.toLocaleString('en')}`,
    bytes === 0 ? '-' : size(bytes ?? 0),
    span(found.map(({ migration }) => migration)),
  ];
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes === 0 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const amount = bytes / 1024 ** power;
  return `${amount < 10 && power > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[power]}`;
}

function objects({ streams }: PlanReport): Section {
  const all = streams.flatMap((stream) => stream.objects);
  const replaced = all.filter(({ diff }) => diff !== '');
  const others = all.filter(({ diff }) => diff === '');
  return {
    title: 'Routines and views that are there',
    isDetail: false,
    blocks: [
      ...(others.length === 0
        ? []
        : [
            {
              kind: 'lines' as const,
              lines: [
                ...listed(
                  'Dropped as they were released',
                  others.filter(({ action }) => action === 'dropped'),
                ),
                ...listed(
                  'Replaced by the same',
                  others.filter(({ action }) => action === 'replaced'),
                ),
              ],
            },
          ]),
      ...replaced.map((object) => ({
        kind: 'code' as const,
        title: `${object.action}${origin(object)}: ${shown(object.name)}`,
        language: 'diff' as const,
        text: object.diff,
      })),
    ],
  };
}

/** Names, unless there are so many that nobody reads them; the SQL has them all. */
function listed(what: string, objects: readonly ChangedObject[]): string[] {
  if (objects.length === 0) return [];
  const count = `${what}: ${counted(objects.length, 'routine or view', 'routines and views')}`;
  return objects.length > MOST_LISTED
    ? [`${count}, named in the SQL.`]
    : [count, ...objects.map(({ name }) => `  ${shown(name)}`)];
}

const MOST_LISTED = 10;

function origin({ asReleased }: ChangedObject): string {
  if (asReleased === true) return '';
  return asReleased === null
    ? ', as PostgreSQL prints it'
    : ', though NO RELEASE MADE IT SO: somebody changed it, and up replaces it only with --overwrite-drift';
}

function jobs({ jobs: all }: PlanReport): Section {
  return tabular(
    'Jobs of pg_cron',
    ['', 'job', 'schedule', 'command', 'database'],
    (all ?? []).map(({ action, jobName, schedule, command, database }) =>
      [action, jobName, schedule ?? '-', command, database].map(shown),
    ),
  );
}

function stillKept({ stillKept: tables, keptSchema }: PlanReport): Section {
  return tabular(
    'Kept by earlier rollbacks, and not taken back',
    ['table', 'rows', 'why'],
    tables.map(({ table, rows, reason }) => [
      shown(`${keptSchema}.${table}`),
      rowsText(rows),
      shown(reason),
    ]),
  );
}

function rowsText(rows: number | null): string {
  return rows === null ? 'not known' : rows.toLocaleString('en');
}

function givenUp({ givenUp: tables, keptSchema }: PlanReport): Section {
  return tabular(
    'Dropped with their rows, which earlier rollbacks kept',
    ['table', 'rows', 'size'],
    tables.map(({ table, rows, bytes }) => [
      shown(`${keptSchema}.${table}`),
      rowsText(rows),
      size(bytes),
    ]),
  );
}

function fragmentRoleSql({ streams }: PlanReport, role: string): string {
  const schema = streams.find(({ stream }) => stream === 'work')?.schema ?? '';
  return pasteable(`SELECT ${escapeIdentifier(schema)}.set_fragment_role(${escapeLiteral(role)});`);
}

function alsoChanged(plan: PlanReport): string[] {
  const { fragmentRole, link, streams } = plan;
  const migrations = streams.flatMap((stream) => stream.migrations);
  const drops = migrations.flatMap((migration) => migration.drops);
  const alone = migrations.filter(({ inTransaction }) => !inTransaction);
  return [
    ...streams
      .filter(({ newer }) => newer.length > 0)
      .map(
        ({ stream, newer }) =>
          `In the ${stream} stream, ${span(newer)} ${newer.length === 1 ? 'is' : 'are'} applied, which a newer package did.`,
      ),
    ...(drops.length > 0 && plan.kept.length === 0
      ? [`Dropped with their rows: ${drops.map(shown).join(', ')}.`]
      : []),
    ...keptLines(plan),
    ...(alone.length > 0
      ? [`Outside of a transaction: ${alone.map(({ name }) => shown(name)).join(', ')}.`]
      : []),
    ...(fragmentRole === null
      ? []
      : [
          `Fragments get the rights of role "${shown(fragmentRole)}", and no others, by: ${fragmentRoleSql(plan, fragmentRole)}`,
        ]),
    ...(link === 'renewed'
      ? ['The link from the work database to pg_cron is renewed, and tried.']
      : []),
    ...(link === 'removed' ? ['The link from the work database to pg_cron is removed.'] : []),
    ...(drains(plan)
      ? ['Processing is held meanwhile, and the runs that are at work are waited for.']
      : []),
  ];
}

/** Whether what runs is touched: not by a first deployment, nor by what runs outside of a transaction. */
function drains({ direction, streams }: PlanReport): boolean {
  return streams.some(
    ({ stream, applied, migrations }) =>
      applied.length > 0 &&
      (direction === 'down' || stream === 'work') &&
      migrations.some(({ inTransaction }) => inTransaction),
  );
}

function keptLines({ direction, kept, stillKept: staying, keptSchema }: PlanReport): string[] {
  const names = kept.filter((name) => !staying.some(({ table }) => table === name));
  if (names.length === 0) return [];
  const tables = names.map(shown).join(', ');
  return [
    direction === 'down'
      ? `Kept in schema "${keptSchema}" where they hold rows, until the next up takes them back: ${tables}, and the cache tables that they list.`
      : `Taken back from schema "${keptSchema}", where they fit: ${tables}.`,
  ];
}

function sqlOf({ stream, preparation, migrations }: PlannedStream): Section {
  return {
    title: `SQL of the ${stream} stream`,
    isDetail: true,
    blocks: [
      ...(preparation.length === 0
        ? []
        : [
            {
              kind: 'code' as const,
              title: 'before the first migration',
              language: 'sql' as const,
              text: preparation.map((statement) => `${statement};`).join('\n'),
            },
          ]),
      ...migrations.map(({ name, sql, statements }) => ({
        kind: 'code' as const,
        title: `${shown(name)} (${counted(statements, 'statement')})`,
        language: 'sql' as const,
        text: sql.trimEnd(),
      })),
    ],
  };
}
