import pg from 'pg';
import { connectAs } from '../../harness/deployment.js';
import type { Actor, Attacker, Attempt, Scene } from './attempt.js';
import { connectCronRole, connectionOf, type Place, processFragment } from './place.js';

/** What came of an attempt. */
export interface Seen {
  readonly success: boolean;
  /** The SQLSTATE by which it was refused, or a word for it. */
  readonly refused?: string;
}

export function concerns(attempt: Attempt, actor: Actor): boolean {
  if (attempt.in === 'cron' && actor === 'fragment') return false;
  return attempt.only?.includes(actor) ?? true;
}

export function tryOut(place: Place, attempt: Attempt, attacker: Attacker): Promise<Seen> {
  return attacker === 'fragment' ? byFragment(place, attempt) : bySession(place, attempt, attacker);
}

async function bySession(place: Place, attempt: Attempt, attacker: Attacker): Promise<Seen> {
  const session = await connectAs(connectionOf(place, attacker, attempt.in ?? 'work'));
  try {
    const scene = await sceneOf(place, attacker, session);
    return await staged(attempt, scene, async () => {
      const atOnce = await refusal(async () => {
        if (attempt.transaction) await session.query('BEGIN');
        const own = attacker === 'control' ? attempt.control : undefined;
        for (const statement of (own ?? attempt.statements)(scene)) await session.query(statement);
      });
      const refused = noticed(await attempt.others?.(scene, atOnce)) ?? atOnce;
      const loot = (attempt.loot ?? attempt.left)?.(scene);
      if (loot === undefined) return { refused, success: false };
      let success = false;
      const unread = await refusal(async () => {
        success = await isTrue(session, loot);
      });
      return { refused: refused ?? unread, success };
    });
  } finally {
    await session.end();
  }
}

/** The statements are those of a function that the fragment calls: it may be anything but a SELECT there. */
async function byFragment(place: Place, attempt: Attempt): Promise<Seen> {
  const session = await connectCronRole(place);
  try {
    const scene = await sceneOf(place, 'fragment', session);
    return await staged(attempt, scene, async () => {
      const item = { hash: `attempt ${attempt.what}`, key: 'attempt', datatype: 'integer' };
      const statements = attempt.statements(scene).map(pg.escapeLiteral).join(', ');
      const loot = attempt.loot === undefined ? 'NULL' : pg.escapeLiteral(attempt.loot(scene));
      await forget(place, item.hash);
      await processFragment(
        place,
        { ...item, query: `SELECT public.attempt(ARRAY[${statements}]::text[], ${loot})` },
        session,
      );
      const { success, refused: atOnce } = await resultOf(place, item.hash);
      const refused = noticed(await attempt.others?.(scene, atOnce)) ?? atOnce;
      const left = attempt.left?.(scene);
      return { refused, success: success || (left !== undefined && (await isTrue(session, left))) };
    });
  } finally {
    await session.end();
  }
}

async function sceneOf(place: Place, attacker: Attacker, session: pg.Client): Promise<Scene> {
  const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
  return { place, attacker, me: place.roles[attacker].name, pid: rows[0].pid };
}

async function staged(
  attempt: Attempt,
  scene: Scene,
  act: () => Promise<{ success: boolean; refused: string | undefined }>,
): Promise<Seen> {
  await attempt.prepare?.(scene);
  try {
    const { success, refused } = await act();
    const look = attempt.look?.(scene);
    const witnessed = look !== undefined && (await isTrue(scene.place[attempt.in ?? 'work'], look));
    return { success: success || witnessed, ...(refused === undefined ? {} : { refused }) };
  } finally {
    await attempt.restore?.(scene);
  }
}

function noticed(answer: unknown): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}

/** The SQLSTATE with which the server refused; what else goes wrong is a defect of the test. */
async function refusal(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
    throw error;
  }
}

async function isTrue(client: pg.Client, query: string): Promise<boolean> {
  const { rows } = await client.query({ text: query, rowMode: 'array' });
  return rows[0]?.[0] === true;
}

async function forget({ work, tables }: Place, hash: string): Promise<void> {
  await work.query(`DELETE FROM ${tables.queries} WHERE query_hash = $1`, [hash]);
  await work.query(`DELETE FROM ${tables.processorLog} WHERE query_hash = $1`, [hash]);
  await work.query(`DELETE FROM ${tables.fragmentQueue} WHERE hash = $1`, [hash]);
}

async function resultOf(
  { work, tables }: Place,
  hash: string,
): Promise<{ success: boolean; refused: string | undefined }> {
  const { rows } = await work.query(
    `SELECT status, substring(error_message FROM '^([0-9A-Z]{5}): ') AS code, error_message
       FROM ${tables.processorLog} WHERE query_hash = $1 ORDER BY id DESC LIMIT 1`,
    [hash],
  );
  const [logged] = rows;
  if (logged?.status === 'failed' && logged.code !== null) {
    return { success: false, refused: logged.code };
  }
  if (logged?.status !== 'success') {
    throw new Error(`the fragment was not settled: ${JSON.stringify(logged)}`);
  }
  const cached = await work.query(
    'SELECT partition_keys FROM public.my_cache_cache_attempt WHERE query_hash = $1',
    [hash],
  );
  return { success: cached.rows[0].partition_keys.includes(1), refused: undefined };
}
