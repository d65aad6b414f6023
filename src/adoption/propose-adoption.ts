import { escapeIdentifier } from 'pg';
import { isOwnData } from '../deployment/own-data.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { asideProblems } from './aside-problems.js';
import {
  changesInMeaning,
  type ForeignProcessors,
  foreignProcessors,
} from './foreign-processors.js';
import {
  type ConfigRow,
  type ForeignCache,
  type ForeignConfigCopy,
  type ForeignFunction,
  type ForeignJob,
  type ForeignSetup,
  type ForeignWorkSide,
  isUsed,
} from './foreign-setup.js';
import { type ByHand, byHand, ownerLines } from './lines-by-hand.js';
import { notKept } from './losses.js';
import { counted, rowsText } from './wording.js';

export interface AdoptionStep {
  readonly database: string;
  readonly what: string;
}

/** What an adoption will do. Every text is ready to be shown. */
export interface AdoptionProposal {
  readonly steps: readonly AdoptionStep[];
  /** What will mean something else than before. */
  readonly changes: readonly string[];
  readonly notKept: readonly string[];
  /** What the administrator of the settings does first, in the work database. */
  readonly asAdministrator: readonly string[];
  /** What nobody does but a person. */
  readonly byHand: readonly ByHand[];
  /** Why it cannot be done; nothing is changed while there is one. */
  readonly problems: readonly string[];
}

/** As in the migration that makes the settings of a deployment. */
const DEFAULT_MAX_SLOTS = 20;

export function proposeAdoption(setup: ForeignSetup, settings: Settings): AdoptionProposal {
  const processors = foreignProcessors(setup, settings);
  const owners = ownerLines(setup, settings);
  const hasAdmin = settings.admin !== undefined;
  const proposal = {
    steps: steps(setup, settings, processors),
    changes:
      setup.work === undefined
        ? []
        : [
            ...processors.disagreements,
            ...changesInMeaning(processors, setup.cron, DEFAULT_MAX_SLOTS),
          ],
    notKept: notKept(setup, settings, processors),
    asAdministrator: hasAdmin ? owners : [],
    byHand: byHand(setup, settings, processors),
    problems: problems(setup, settings),
  };
  return {
    ...proposal,
    steps: proposal.steps.map(({ database, what }) => ({ database, what: shown(what) })),
    changes: proposal.changes.map(shown),
    notKept: proposal.notKept.map(shown),
    problems: [
      ...proposal.problems.map(shown),
      ...(hasAdmin || owners.length === 0 ? [] : [rightsProblem(owners, settings)]),
    ],
  };
}

function steps(
  { work, stray, cron }: ForeignSetup,
  settings: Settings,
  processors: ForeignProcessors,
): AdoptionStep[] {
  const { database } = settings.cron;
  return [
    ...(cron.jobs.length > 0
      ? [
          {
            database,
            what: `unschedule ${counted(cron.jobs.length, 'job')} of the tool, and wait for those that run: ${cron.jobs.map(named).join(', ')}`,
          },
        ]
      : []),
    ...(work === undefined
      ? []
      : workSteps(work, settings, processors).map((what) => ({
          database: settings.work.database,
          what,
        }))),
    ...stray
      .filter((one) => !isUsed(one))
      .map(({ signature }) => ({
        database: settings.work.database,
        what: `drop ${signature}, with which jobs of the tool would process the same queue`,
      })),
    {
      database,
      what: `${work === undefined ? 'apply what is pending of' : 'deploy'} this package, and schedule its jobs`,
    },
    ...(cron.copy === undefined ? [] : [{ database, what: copyStep(cron.copy) }]),
  ];
}

function named({ name, role }: ForeignJob): string {
  return `"${name}" of role "${role}"`;
}

/** What becomes of a cache table. */
function fateOf(cache: ForeignCache, { cacheBackend }: Pick<Settings, 'cacheBackend'>): string {
  const sets = cache.sets === null ? 'its sets' : counted(cache.sets, 'set');
  if (cache.datatype === undefined) {
    return `${sets} of type ${cache.type}, which this cache cannot have: kept aside, and queued to be evaluated again`;
  }
  if (cacheBackend === 'bit') {
    return `${sets} of ${cache.bits} bits cannot be trusted, since keys beyond that were left out without a trace: removed, and queued to be evaluated again`;
  }
  return cache.isPlain
    ? `${sets}, as they are`
    : `${sets}, copied, since something hangs on the table`;
}

function workSteps(
  { tables, caches, functions, kept }: ForeignWorkSide,
  settings: Settings,
  { taken }: ForeignProcessors,
): string[] {
  const copied = tables.filter(({ role }) => role !== 'activeJobs' && role !== 'processorConfig');
  const fates = caches.map((cache) => fateOf(cache, settings));
  const settled = kept.filter(({ table }) => isOwnData(table)).map(({ table }) => table);
  return [
    'deploy this package, and take over, all in one transaction:',
    ...copied.map(({ name, rows }) => `${name}: ${rowsText(rows)}`),
    ...(taken.length > 0
      ? [`${counted(taken.length, 'processor')}: ${taken.map(processorText).join(', ')}`]
      : []),
    ...caches.map(({ name }, index) => `${name}: ${fates[index]}`),
    ...(settled.length > 0
      ? [`take back what an earlier down kept of this package's own: ${settled.join(', ')}`]
      : []),
    ...(functions.length > 0
      ? [
          `drop or replace ${counted(functions.length, "of the tool's functions", '')} in schema "${settings.clientSchema}": ${signatures(functions)}`,
        ]
      : []),
  ];
}

function signatures(functions: readonly ForeignFunction[]): string {
  return functions.map(({ signature }) => signature).join(', ');
}

function processorText({ job_name, enabled }: ConfigRow): string {
  return `"${job_name}" (${enabled ? 'enabled' : 'disabled'})`;
}

function copyStep({ schema, table, rows, otherRows, functions }: ForeignConfigCopy): string {
  const name = `"${schema}"."${table}"`;
  return otherRows > 0
    ? `delete ${counted(rows.length, 'row')} from ${name}; ${counted(otherRows, 'row')} of others stay, and so does the table`
    : `drop ${name}, with its trigger${functions.length > 0 ? ` and ${counted(functions.length, 'function')}: ${signatures(functions)}` : ''}`;
}

function problems({ work, cron }: ForeignSetup, settings: Settings): string[] {
  if (work === undefined) return [];
  const backends = new Set(
    work.config
      .filter(({ table_prefix }) => table_prefix === settings.tablePrefix)
      .map(({ cache_backend }) => cache_backend),
  );
  return [
    ...[...work.tables, ...work.caches]
      .filter(({ unusable }) => unusable !== undefined)
      .map(
        ({ name, unusable }) => `${name} cannot be taken over: ${unusable}. Rename it, or drop it.`,
      ),
    ...(backends.size > 0 && !backends.has(settings.cacheBackend)
      ? [
          `the cache "${settings.tablePrefix}" has the backend ${[...backends].join(', ')}, the settings say ${settings.cacheBackend}. ${backendAdvice([...backends])}`,
        ]
      : []),
    ...asideProblems(work.aside, settings),
    ...(cron.copyUnread === undefined
      ? []
      : [
          `role "${settings.cron.user}" may not read the tool's configuration in database "${settings.cron.database}". Set PG_ADMIN_USER and PG_ADMIN_PASSWORD, or have its owner type there: GRANT SELECT ON ${cron.copyUnread} TO ${escapeIdentifier(settings.cron.user)};`,
        ]),
  ];
}

/** A line for each statement, to be pasted. */
function rightsProblem(lines: readonly string[], { work }: Settings): string {
  return [
    shown(
      `role "${work.user}" has not all the rights that this needs, since other roles own some of it. Set PG_ADMIN_USER and PG_ADMIN_PASSWORD, or have an administrator type, in database "${work.database}":`,
    ),
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}

function backendAdvice(backends: readonly string[]): string {
  return backends.some((backend) => ['array', 'bit', 'roaringbit'].includes(backend))
    ? `Set CACHE_BACKEND=postgresql_${backends[0]}.`
    : 'This package deploys array, bit and roaringbit.';
}
