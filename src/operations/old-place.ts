import type { ClientBase } from 'pg';
import type { Moved } from '../deployment/whereabouts.js';
import { type CronSide, readCronSides, readJobsOf } from '../jobs/left-behind.js';
import type { Settings } from '../settings/settings.js';
import type { AdoptStep } from './adopt-report.js';

/** What the name that a work database was deployed under has in the pg_cron database. */
export interface OldPlace {
  /** To be removed; undefined where there is nothing, or it is another's. */
  readonly side: CronSide | undefined;
  readonly steps: readonly AdoptStep[];
  readonly left: readonly string[];
}

/** Removed is only what is of this deployment, of the connected role, and for a database that does not exist. */
export async function readOldPlace(
  cron: ClientBase,
  settings: Settings,
  found: Moved,
): Promise<OldPlace> {
  const { origin } = found;
  const { own, others } = await readCronSides(cron);
  const side = own.find(
    ({ schema, workDatabase, workSchema }) =>
      schema === origin.cronSchema &&
      schema !== settings.cronSchema &&
      workDatabase === origin.database &&
      workSchema === settings.schema,
  );
  if (side === undefined) {
    return { side, steps: [], left: elsewhere(settings, found, others) };
  }
  const owner = stillNeededBy(side, found);
  if (owner !== undefined) {
    const left = `schema "${side.schema}" of database "${settings.cron.database}" and its jobs: they are those of database "${owner}"`;
    return { side: undefined, steps: [], left: [left] };
  }
  const jobs = await readJobsOf(cron, side);
  const what = `remove schema "${side.schema}", its ${jobs.length} jobs and their history: database "${origin.database}" is gone`;
  return { side, steps: [{ database: settings.cron.database, what }], left: [] };
}

function stillNeededBy({ workDatabase, nameInUse }: CronSide, found: Moved): string | undefined {
  if (found.kind === 'copied') return found.original;
  return nameInUse ? workDatabase : undefined;
}

function elsewhere(settings: Settings, { kind, origin }: Moved, others: readonly string[]) {
  const { cronSchema, cronDatabase } = origin;
  if (cronDatabase === undefined) return [];
  if (kind === 'on another server') {
    return [
      `schema "${cronSchema}" of database "${cronDatabase}" on the other server, and its jobs, which cannot be seen from here`,
    ];
  }
  if (cronSchema !== settings.cronSchema && others.includes(cronSchema)) {
    return [
      `schema "${cronSchema}" of database "${settings.cron.database}": another role than "${settings.cron.user}" owns it, so that its jobs cannot be seen`,
    ];
  }
  return [];
}
