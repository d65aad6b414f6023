import pg from 'pg';
import type { Scene } from './attempt.js';

// What the attempts are put together from.

export const { escapeLiteral: literal, escapeIdentifier: identifier } = pg;

/** Runs as the administrator in the work database. */
export function inWork(...statements: ((scene: Scene) => string)[]) {
  return (scene: Scene) => runAll(scene, scene.place.work, statements);
}

/** Runs as the administrator in the pg_cron database. */
export function inCron(...statements: ((scene: Scene) => string)[]) {
  return (scene: Scene) => runAll(scene, scene.place.cron, statements);
}

async function runAll(
  scene: Scene,
  client: pg.Client,
  statements: readonly ((scene: Scene) => string)[],
): Promise<void> {
  for (const statement of statements) await client.query(statement(scene));
}

/** A trigger function of the attacker's that tells the witness as whom it ran. */
export function trapFunction(name: string): string {
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO public.witness DEFAULT VALUES; RETURN NEW; END $$`;
}

/** Forgets what ran before; for the start of an attempt. */
export const forgetWitness = inWork(() => 'TRUNCATE public.witness');

/**
 * Whether the attacker's code ran as someone else. The migrator's is run by cron role and clients anyway: it owns
 * the functions that they call.
 */
export function ranAsAnother({ place, attacker, me }: Scene): string {
  const { cron, client } = place.roles;
  const expected = [me, ...(attacker === 'migrator' ? [cron.name, client.name] : [])];
  return `SELECT EXISTS (SELECT FROM public.witness WHERE who <> ALL (ARRAY[${expected
    .map(literal)
    .join(', ')}]::name[]))`;
}

/** Whether a query of the administrator's finds anything. */
export function exists(from: string): string {
  return `SELECT EXISTS (SELECT FROM ${from})`;
}
