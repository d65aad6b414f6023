import type pg from 'pg';
import { connectAs } from '../../harness/deployment.js';
import { waitFor } from '../../harness/wait-for.js';
import type { Actor, Attempt, Scene, Theme } from './attempt.js';
import { connectionOf } from './place.js';
import { literal } from './sql.js';

interface Victim {
  readonly client: pg.Client;
  readonly pid: number;
  /** Resolves to the SQLSTATE with which its statement ended. */
  readonly ended: Promise<string | undefined>;
}

const victims = new WeakMap<object, Victim>();

function victimOf({ place }: Scene): Victim {
  const victim = victims.get(place);
  if (victim === undefined) throw new Error('there is no victim');
  return victim;
}

/** A session of this role at work in the work database. */
async function openVictim({ place }: Scene, role: Actor): Promise<void> {
  const client = await connectAs(connectionOf(place, role, 'work'));
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const ended = client.query('SELECT pg_sleep(60)').then(
    () => undefined,
    (error: { code?: string }) => error.code ?? 'lost',
  );
  victims.set(place, { client, pid: rows[0].pid, ended });
  await waitFor(
    'the victim at work',
    async () => {
      const { rowCount } = await place.work.query(
        "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
        [rows[0].pid],
      );
      return rowCount === 1;
    },
    { deadlineMs: 10_000 },
  );
}

async function closeVictim(scene: Scene): Promise<void> {
  const { pid, ended, client } = victimOf(scene);
  await scene.place.work.query('SELECT pg_terminate_backend($1)', [pid]);
  await ended;
  await client.end().catch(() => {});
}

function signal(
  how: 'pg_terminate_backend' | 'pg_cancel_backend',
  role: Actor,
  what: string,
): Attempt {
  return {
    what: `${how === 'pg_terminate_backend' ? 'end' : 'cancel'} ${what}`,
    prepare: (scene) => openVictim(scene, role),
    statements: (scene) => [`SELECT ${how}(${victimOf(scene).pid})`],
    // A session at work takes a signal at once; one that was not sent would be waited for in vain.
    others: async (scene, refused) => {
      if (refused === undefined) await victimOf(scene).ended;
    },
    look: (scene) =>
      `SELECT NOT EXISTS (SELECT FROM pg_stat_activity
                           WHERE pid = ${victimOf(scene).pid} AND wait_event = 'PgSleep')`,
    restore: closeVictim,
    leave: { [role]: 'its task' },
  };
}

/** Holds a table so that nobody else can use it. */
function lock(what: string, table: (scene: Scene) => string, leave: Attempt['leave']): Attempt {
  return {
    what,
    transaction: true,
    statements: (scene) => [`LOCK TABLE ${table(scene)} IN ACCESS EXCLUSIVE MODE NOWAIT`],
    loot: (scene) =>
      `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = ${literal(table(scene))}::regclass
                         AND mode = 'AccessExclusiveLock' AND granted AND pid = pg_backend_pid())`,
    leave,
  };
}

/** The sessions of others, and what they wait for. */
export const sessions: Theme = {
  name: 'Disturb the sessions of others',
  attempts: [
    signal('pg_terminate_backend', 'cron', 'a run of the processor, or the watchdog'),
    signal('pg_cancel_backend', 'cron', 'a run of the processor, or the watchdog'),
    signal('pg_terminate_backend', 'migrator', 'a session of the operator’s'),
    signal('pg_cancel_backend', 'migrator', 'a session of the operator’s'),
    signal('pg_terminate_backend', 'client', 'a session of a client'),
    lock('lock the claims', ({ place }) => `${place.settings.schema}.batch`, {
      migrator: 'its task',
      cron: 'its task',
    }),
    lock('lock the settings', ({ place }) => `${place.settings.schema}.settings`, {
      migrator: 'its task',
    }),
    lock('lock the deployment', ({ place }) => `${place.settings.schema}.deployment`, {
      migrator: 'its task',
    }),
    // DELETE is the clients' right by their contract, and PostgreSQL lets whoever has it lock the table.
    lock('lock the queue', ({ place }) => place.tables.fragmentQueue, {
      migrator: 'its task',
      cron: 'its task',
      client: 'its task',
    }),
    lock('lock the processors’ configuration', ({ place }) => place.tables.processorConfig, {
      migrator: 'its task',
      cron: 'its task',
      client: 'its task',
    }),
  ],
};
