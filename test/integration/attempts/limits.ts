import { ACTORS, type Actor, type Attempt, type Leave, type Theme } from './attempt.js';
import { hear, heard, listen, stopListening } from './listener.js';
import { inWork, literal } from './sql.js';

const SESSIONS = ACTORS.filter((actor) => actor !== 'fragment');

function can(actors: readonly Actor[]): Partial<Record<Actor, Leave>> {
  return Object.fromEntries(actors.map((actor) => [actor, 'can']));
}

/** An advisory lock has no owner and no privilege: whoever knows its number may hold it. */
function hold(what: string, keys: string, look: Attempt['look']): Attempt {
  return {
    what,
    only: SESSIONS,
    statements: () => [`SELECT pg_advisory_lock(class, key) FROM ${keys}`],
    ...(look && { look }),
    restore: inWork(() => 'SELECT pg_advisory_unlock_all()'),
    leave: can(SESSIONS),
  };
}

/**
 * What PostgreSQL gives to whoever may connect, and no deployment can take away: it is on the page since it is what
 * CONNECT on the work database means.
 */
export const limits: Theme = {
  name: 'Whoever may connect to the work database',
  attempts: [
    {
      ...hold(
        'hold the lock of a slot, so that the slot does not run',
        'public.seen_in_pg_locks',
        ({ place }) =>
          `SELECT ${place.settings.schema}.open_slot(${literal(place.job)}, 1) IS NULL`,
      ),
      // While the slot runs, everybody sees its lock in pg_locks.
      prepare: inWork(
        ({ place }) => `SELECT ${place.settings.schema}.open_slot(${literal(place.job)}, 1)`,
        () => 'DROP TABLE IF EXISTS public.seen_in_pg_locks',
        () =>
          `CREATE TABLE public.seen_in_pg_locks AS
             SELECT classid::integer AS class, objid::integer AS key FROM pg_locks
              WHERE locktype = 'advisory' AND pid = pg_backend_pid()`,
        () => 'GRANT SELECT ON public.seen_in_pg_locks TO PUBLIC',
        () => 'SELECT pg_advisory_unlock_all()',
      ),
    },
    hold(
      'hold the lock by which changes of the configuration wait for each other',
      `(SELECT pg_class.oid::integer AS class, 0 AS key
          FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = 'partitioncache' AND relname = 'settings') AS locks`,
      ({ place }) =>
        `SELECT NOT pg_try_advisory_xact_lock('${place.settings.schema}.settings'::regclass::oid::integer, 0)`,
    ),
    {
      what: 'wake the clients that wait for work',
      only: SESSIONS,
      prepare: listen,
      statements: () => ["NOTIFY query_fragment_available, 'in vain'"],
      others: hear,
      look: (scene) => `SELECT ${heard(scene, 'in vain')}`,
      restore: stopListening,
      leave: can(SESSIONS),
    },
    {
      what: 'read the sources of our functions, and the names of everything',
      statements: () => [],
      loot: () =>
        "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'claim_batch' AND prosrc LIKE '%RETURN%')",
      leave: can(ACTORS),
    },
  ],
};
