import { escapeIdentifier } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';
import { keptSchema, POSTGIS_COLUMNS } from './contract-names.js';
import type { ForeignProcessors } from './foreign-processors.js';
import {
  type ForeignCronSide,
  type ForeignFunction,
  type ForeignSetup,
  type ForeignTable,
  type ForeignWorkSide,
  isUsed,
} from './foreign-setup.js';
import { counted, rowsText } from './wording.js';

/** What an adoption does not keep, or does not touch. */
export function notKept(
  { work, stray, cron }: ForeignSetup,
  settings: Settings,
  { left }: ForeignProcessors,
): string[] {
  if (work === undefined) {
    return [
      ...(cron.copy?.rows ?? []).map(
        ({ job_name }) =>
          `the settings of processor "${job_name}" in that table; those of this deployment stand`,
      ),
      ...stray
        .filter(isUsed)
        .map((one) => `${staysText(one)}; jobs of the tool would process the same queue with it`),
      ...copyFunctions(cron, settings),
    ];
  }
  const aside = `schema "${keptSchema(settings)}"`;
  return [
    ...left.map(
      ({ job_name, table_prefix, cache_backend }) =>
        `processor "${job_name}" fills the cache "${table_prefix}" (${cache_backend}) from this queue; a deployment has one cache. Its row stays in ${aside}; deploy it as another, with its own queue`,
    ),
    ...work.tables.flatMap((table) => tableLosses(table, aside)),
    ...keptLosses(work, settings),
    ...grantLosses(work, settings),
    ...caches(work, aside),
    ...work.functions
      .filter(isUsed)
      .map(
        ({ signature, dependents }) =>
          `${signature}: ${dependents.join(', ')} will go on using the old one, which stays in ${aside}, and runs with the rights of whoever calls it`,
      ),
    ...copyFunctions(cron, settings),
    ...work.neighbours.map(
      (name) =>
        `another set-up of the tool in this database (${name}) uses the same functions: those of its clients are replaced, its jobs go on. Adopt it as well, with its own settings`,
    ),
    ...(work.unknownFunctions.length > 0
      ? [
          `left as they are, since this package does not know them: ${work.unknownFunctions.join(', ')}`,
        ]
      : []),
    ...(work.eviction.length > 0
      ? [`left as it is: the eviction manager (${work.eviction.join(', ')}), its jobs included`]
      : []),
    ...(cron.jobsUnknown === undefined
      ? []
      : [
          `not looked at yet: pg_cron's jobs in database "${settings.cron.database}", since ${cron.jobsUnknown}`,
        ]),
    ...(cron.copyIgnored === undefined
      ? []
      : [`not read, in database "${settings.cron.database}": ${cron.copyIgnored}`]),
  ];
}

function staysText({ signature, dependents }: ForeignFunction): string {
  return `${signature} stays, since ${dependents.join(', ')} uses it`;
}

function copyFunctions({ copy }: ForeignCronSide, { cron: { database } }: Settings): string[] {
  const used = (copy?.functions ?? []).filter(isUsed);
  return used.map((one) => `in database "${database}": ${staysText(one)}`);
}

function tableLosses(
  { role, name, rows, columns, triggers, dependents }: ForeignTable,
  aside: string,
): string[] {
  const lost = role === 'processorConfig' ? POSTGIS_COLUMNS.filter((c) => columns.includes(c)) : [];
  return [
    ...(lost.length > 0
      ? [
          `${name}: the columns ${lost.join(', ')}, which only backends use that this package does not deploy`,
        ]
      : []),
    ...(role === 'activeJobs' && rows !== 0
      ? [
          `${name}: ${rowsText(rows)} that show what was running; what of it is neither queued nor known is queued`,
        ]
      : []),
    ...(triggers.length > 0 ? [`${name}: its triggers ${triggers.join(', ')}`] : []),
    ...(dependents.length > 0
      ? [
          `${name}: ${dependents.join(', ')} will go on reading the old table, which stays in ${aside}`,
        ]
      : []),
  ];
}

/** What the set-up has counts, and a table has the rows of one of the two. */
function keptLosses({ tables, caches, kept }: ForeignWorkSide, settings: Settings): string[] {
  const names = [...tables, ...caches].map(({ name }) => name);
  const isCache = (name: string) => name.startsWith(settings.tablePrefix);
  const isInTheWay = ({ table }: { table: string }) =>
    names.includes(table) || (isCache(table) && names.some(isCache));
  return kept
    .filter(isInTheWay)
    .map(
      ({ table, rows }) =>
        `${table}: ${rowsText(rows)} that an earlier down kept stay in schema "${keptSchemaName(settings.schema)}", since those of the set-up count`,
    );
}

function grantLosses({ tables }: ForeignWorkSide, settings: Settings): string[] {
  const grants = tables.flatMap(({ name, grantees }) =>
    grantees.map(({ role, privileges }) => ({
      role,
      line: `GRANT ${privileges.join(', ')} ON ${clientName(settings, name)} TO ${role === null ? 'PUBLIC' : escapeIdentifier(role)};`,
    })),
  );
  return [...new Set(grants.map(({ role }) => role))].map((role) => {
    const lines = grants.filter((grant) => grant.role === role).map(({ line }) => line);
    const who =
      role === null
        ? 'PUBLIC'
        : `role "${role}", which is none of this deployment's (PG_QUEUE_USER is the client)`;
    return `the privileges of ${who}; to give them again: ${lines.join(' ')}`;
  });
}

function caches(work: ForeignWorkSide, aside: string): string[] {
  return work.caches
    .filter(
      ({ withoutQuery, bits, datatype }) =>
        withoutQuery !== 0 && (bits !== undefined || datatype === undefined),
    )
    .map(
      ({ name, withoutQuery }) =>
        `${name}: ${withoutQuery === null ? 'sets' : counted(withoutQuery, 'set')} whose query is not known cannot be evaluated again, and stay in ${aside}`,
    );
}
