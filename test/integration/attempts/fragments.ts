import type { Attempt, Theme } from './attempt.js';
import { hear, heard, listen, stopListening } from './listener.js';
import { exists, inWork, literal } from './sql.js';

const WRITE = "INSERT INTO public.witness VALUES ('a fragment')";

/** To a table to which everybody may write: in a session of one's own that is nothing. */
function write(what: string, statements: Attempt['statements']): Attempt {
  return {
    what,
    only: ['fragment'],
    statements,
    look: () => exists("public.witness WHERE who = 'a fragment'"),
    control: () => [WRITE],
    restore: inWork(() => 'TRUNCATE public.witness'),
  };
}

/** Stays in the session in which the next fragment is evaluated. */
function inSession(
  what: string,
  statement: string,
  left: string,
  control: readonly string[] = [statement],
): Attempt {
  return {
    what,
    only: ['fragment'],
    statements: () => [statement],
    left: () => `SELECT ${left}`,
    control: () => control,
  };
}

export const fragments: Theme = {
  name: 'As a fragment, leave something behind',
  attempts: [
    write('write to a table to which everybody may write', () => [WRITE]),
    write('write after it has made its transaction writable', () => [
      'SET TRANSACTION READ WRITE',
      WRITE,
    ]),
    write('end its transaction, and write', () => ['COMMIT', WRITE]),
    write('write over a connection of its own back to the server', ({ place }) => [
      `SELECT public.dblink_connect('back', 'dbname=' || current_database() || ' user=${place.roles.cron.name}')`,
      `SELECT public.dblink_exec('back', ${literal(WRITE)})`,
    ]),
    {
      what: 'notify the clients',
      only: ['fragment'],
      prepare: listen,
      statements: () => ["NOTIFY query_fragment_available, 'from a fragment'"],
      others: hear,
      look: (scene) => `SELECT ${heard(scene, 'from a fragment')}`,
      restore: stopListening,
    },
    inSession(
      'change a setting for the next fragment',
      "SET search_path = 'intruder'",
      "current_setting('search_path') = 'intruder'",
    ),
    inSession(
      'change a setting for the next fragment, by a function',
      "SELECT set_config('search_path', 'intruder', false)",
      "current_setting('search_path') = 'intruder'",
    ),
    inSession(
      'free the next fragment from its timeout',
      'SET statement_timeout = 0',
      "current_setting('statement_timeout') = '0'",
    ),
    inSession(
      'leave a temporary table',
      'CREATE TEMP TABLE intruder ()',
      "to_regclass('pg_temp.intruder') IS NOT NULL",
    ),
    inSession(
      'leave a function in pg_temp',
      "CREATE FUNCTION pg_temp.intruder() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
      "to_regprocedure('pg_temp.intruder()') IS NOT NULL",
    ),
    inSession(
      'listen to a channel',
      'LISTEN intruder',
      "EXISTS (SELECT FROM pg_listening_channels() AS channel WHERE channel = 'intruder')",
    ),
    inSession(
      'keep an advisory lock of its transaction',
      'SELECT pg_advisory_xact_lock(4711)',
      "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711)",
      ['BEGIN', 'SELECT pg_advisory_xact_lock(4711)'],
    ),
    inSession(
      'leave a prepared statement',
      'PREPARE intruder AS SELECT 1',
      "EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'intruder')",
    ),
    inSession(
      'keep a cursor open',
      'DECLARE intruder CURSOR WITH HOLD FOR SELECT 1',
      "EXISTS (SELECT FROM pg_cursors WHERE name = 'intruder')",
    ),
  ],
};
