import { withAdvisoryLock } from '../database/advisory-lock.js';
import { withClient } from '../database/connect.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { endOwnHolder } from '../database/end-own-holder.js';
import { streamSites } from '../deployment/stream-sites.js';
import { readLedger } from '../migrations/ledger.js';
import type { Direction } from '../migrations/migration-error.js';
import { span } from '../migrations/span.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';

/** What a command was to do to a stream. */
export interface Undertaking {
  readonly stream: StreamName;
  readonly direction: Direction;
  readonly migrations: readonly string[];
  /** The server's process that did it; its transaction is over when it is gone. */
  readonly pid: number | undefined;
}

/** What became of that. */
export interface Standing {
  readonly stream: StreamName;
  readonly database: string;
  readonly direction: Direction;
  readonly migrations: readonly string[];
  /** Those that were run, as the stream's ledger says; undefined if that cannot be looked at. */
  readonly done: readonly string[] | undefined;
  readonly whyUnknown: string | undefined;
}

/** A session that has lost its network may still be busy with its last statement. */
const WAIT_SECONDS = 15;

/** Looks over connections of its own, at each stream once the session that was at work there is gone. */
export async function whatStands(
  settings: Settings,
  undertakings: readonly Undertaking[],
): Promise<Standing[]> {
  const standings: Standing[] = [];
  for (const undertaking of undertakings) standings.push(await standingOf(settings, undertaking));
  return standings;
}

async function standingOf(
  settings: Settings,
  { stream, direction, migrations, pid }: Undertaking,
): Promise<Standing> {
  const { connection, schema, lock } = streamSites(settings)[stream];
  const standing = { stream, database: connection.database, direction, migrations };
  try {
    const applied = await withClient(connection, async (client) => {
      await endOwnHolder(client, lock, pid);
      return withAdvisoryLock(client, lock, { waitSeconds: WAIT_SECONDS }, () =>
        readLedger(client, schema, connection.user),
      );
    });
    const names = new Set(applied.map(({ name }) => name));
    const done = migrations.filter((name) => names.has(name) === (direction === 'up'));
    return { ...standing, done, whyUnknown: undefined };
  } catch (error) {
    return { ...standing, done: undefined, whyUnknown: describeDatabaseError(error) };
  }
}

export function isDone({ migrations, done }: Standing): boolean {
  return done?.length === migrations.length;
}

export function isUntouched(standings: readonly Standing[]): boolean {
  return standings.every(({ done }) => done?.length === 0);
}

/** The standing in a sentence. */
export function standingText(standing: Standing): string {
  const { stream, database, direction, migrations, done, whyUnknown } = standing;
  const place = `The ${stream} stream in database "${database}"`;
  const did = direction === 'up' ? 'applied' : 'rolled back';
  if (migrations.length === 0) return `${place}: there was nothing to do.`;
  if (done === undefined) {
    return `${place}: whether ${span(migrations)} ${isOrAre(migrations)} ${did} is unknown: ${whyUnknown}`;
  }
  if (done.length === 0) return `${place}: nothing was ${did}; it is as before.`;
  const rest = migrations.filter((name) => !done.includes(name));
  const what = `${span(done)} ${isOrAre(done)} ${did}`;
  return `${place}: ${what}, ${rest.length === 0 ? 'all that was to be' : `${span(rest)} not`}.`;
}

function isOrAre(names: readonly unknown[]): string {
  return names.length === 1 ? 'is' : 'are';
}
