import type { Place } from './place.js';

/** Everyone who may want more than is theirs; the administrator is no one to be stopped. */
export const ACTORS = [
  'migrator',
  'cron',
  'client',
  'fragment',
  'outsider',
  'neighbourMigrator',
  'neighbourCron',
  'tenantMigrator',
  'tenantCron',
  'anybody',
] as const;

export type Actor = (typeof ACTORS)[number];

/** Who tries: an actor, or the superuser by whom a test shows that it would see a success. */
export type Attacker = Actor | 'control';

/**
 * Why an actor gets what it tried: it is what the role is for; it follows from what the role owns or holds; or
 * PostgreSQL gives it to whoever may connect.
 */
export type Leave = 'its task' | 'trusted' | 'can';

export interface Scene {
  readonly place: Place;
  readonly attacker: Attacker;
  /** The role whose rights the attacker starts with; of a fragment, the one that runs it. */
  readonly me: string;
  /** Its session; of a fragment, the one that works on it. */
  readonly pid: number;
}

type Sql = (scene: Scene) => string;
type Statements = (scene: Scene) => readonly string[];
type Step = (scene: Scene) => Promise<unknown>;

/** One thing that nobody but those with leave may achieve, and by what it would be seen. */
export interface Attempt {
  readonly what: string;
  /** The database; the work database by default. A fragment cannot be in the other one. */
  readonly in?: 'cron';
  /** For all others it would be no attack, or there is no way to try. */
  readonly only?: readonly Actor[];
  /** Beforehand, not by the attacker. */
  readonly prepare?: Step;
  /** What the attacker does, in one transaction where that is to stay open while it is looked at. */
  readonly statements: Statements;
  readonly transaction?: boolean;
  /** What others do then, who suspect nothing; resolves to a word for the table if they notice, and refuse. */
  readonly others?: (scene: Scene, refused: string | undefined) => Promise<unknown>;
  /** The success: true for a query in the attacker's own session, or … */
  readonly loot?: Sql;
  /** … in the session afterwards, which is where the next fragment is evaluated, or … */
  readonly left?: Sql;
  /** … for a query of the administrator's in the same database, while the attacker's session is still there. */
  readonly look?: Sql;
  readonly restore?: Step;
  /** What a superuser does to bring about the same, where that is something else. */
  readonly control?: Statements;
  /** Versions of PostgreSQL refuse it in different ways, or let it pass without an effect. */
  readonly differs?: true;
  readonly leave?: Partial<Record<Actor, Leave>>;
}

/** The attempts that have one idea in common. */
export interface Theme {
  readonly name: string;
  readonly attempts: readonly Attempt[];
}
