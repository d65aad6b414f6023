import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import type { Reached } from '../../database/with-client-if-reachable.js';
import type { CronMove } from '../../deployment/cron-move.js';
import { type CronPlace, readCronStanding } from '../../deployment/cron-place.js';
import { reach } from '../../doctor/reach.js';
import { servedDatabase } from '../../doctor/served-database.js';
import { serverSetting } from '../../doctor/server-setting.js';
import { asAdministrator, type Settings } from '../../settings/settings.js';
import { type JobsOfOthers, jobsLeftBehind, jobsOfOthers } from './jobs-of-others.js';
import { examineOldPlace, type OldPlace, settingsAt } from './old-place.js';

/** What the cron stream leaves. */
export interface Old {
  readonly settings: Settings;
  readonly place: OldPlace;
  /** Whether it has not been taken back there yet, or that is not recorded. */
  readonly mustLeave: boolean;
}

/** Where everything is; what the command has to do follows from that. */
export interface Survey {
  /** Undefined where the cron stream was never deployed. */
  readonly place: CronPlace | undefined;
  /** Undefined where the cron stream is where the settings want it. */
  readonly old: Old | undefined;
  /** The database whose jobs pg_cron starts; undefined where that cannot be seen. */
  readonly served: string | undefined;
  readonly dataDirectory: string | null;
  /** What an earlier run of this command has begun. */
  readonly move: CronMove | undefined;
  readonly others: readonly JobsOfOthers[];
}

export async function surveyMove(work: ClientBase, settings: Settings): Promise<Survey> {
  const { place, move } = await readCronStanding(work, settings);
  const server = await readServer(work, settings);
  const { database } = settings.cron;
  const others = async () =>
    server.served === database
      ? jobsLeftBehind(work, settings, place)
      : server.served === undefined
        ? []
        : [
            await jobsOfOthers(settings, server.served, 'stop'),
            await jobsOfOthers(settings, database, 'start'),
          ];
  return {
    place,
    old:
      place && place.database !== database
        ? await readOld(work, settingsAt(settings, place), place)
        : undefined,
    ...server,
    move,
    others: await others(),
  };
}

async function readOld(work: ClientBase, old: Settings, { isDeployed }: CronPlace): Promise<Old> {
  const place = await examineOldPlace(work, old);
  return { settings: old, place, mustLeave: isDeployed || place.state === 'deployed' };
}

async function readServer(
  client: ClientBase,
  settings: Settings,
): Promise<Pick<Survey, 'served' | 'dataDirectory'>> {
  const { admin } = settings;
  const read = async (cron: Reached, administrator: Reached | undefined) => {
    const context = { work: { client }, cron, admin: administrator };
    return {
      served: await servedSoon(context),
      dataDirectory: (await serverSetting(context, 'data_directory')) ?? null,
    };
  };
  return reach(settings.cron, (cron) =>
    admin === undefined
      ? read(cron, undefined)
      : reach(asAdministrator(settings.work, admin), (reached) => read(cron, reached)),
  );
}

const SCHEDULER_SECONDS = 5;

/** Right after a restart, the scheduler that shows it to roles without the setting may not be there yet. */
async function servedSoon(context: Parameters<typeof servedDatabase>[0]) {
  const deadline = performance.now() + SCHEDULER_SECONDS * 1000;
  for (;;) {
    const served = await servedDatabase(context);
    if (served !== undefined || performance.now() > deadline) return served;
    await sleep(200);
  }
}
