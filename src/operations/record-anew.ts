import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { ownName } from '../deployment/own-names.js';
import { version } from '../deployment/package-version.js';
import { placeholderValues } from '../deployment/placeholder-values.js';
import { streamSites } from '../deployment/stream-sites.js';
import {
  type Databases,
  type LockWait,
  withLockedDamagedDatabases,
} from '../deployment/with-databases.js';
import { shown } from '../errors/shown.js';
import {
  type AppliedMigration,
  LEDGER_TABLES,
  readLedger,
  requireOwnSchema,
} from '../migrations/ledger.js';
import { LedgerError } from '../migrations/ledger-error.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import type { Migration } from '../migrations/read-migrations.js';
import { recordMigration } from '../migrations/recorded-migrations.js';
import { streamMigrations } from '../migrations/stream-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import { recordAnew as recordObjectsAnew } from '../objects/record-anew.js';
import { migrationsOfLedger, releasesOfLedger } from '../objects/required-rows.js';
import { objectScope } from '../objects/scope.js';
import {
  type MissingObject,
  MissingObjectsError,
  missingObjects,
} from '../plan/missing-objects.js';
import type { Settings } from '../settings/settings.js';
import { plainName } from '../text/plain-name.js';

/** What will be written anew, for people to decide. */
export interface AnewPreview {
  readonly stream: StreamName;
  readonly database: string;
  /** How many migrations are applied. */
  readonly migrations: number;
}

export interface AnewOptions extends LockWait {
  /** Asked before anything is changed; false ends the command. */
  readonly confirm: (preview: readonly AnewPreview[]) => Promise<boolean>;
  readonly log: (message: string) => void;
}

/**
 * Writes anew what this package keeps of its own doing: the ledger as this version would have written it, and the
 * record of the objects as they are now. Returns what was written; undefined where it was declined. Raises LedgerError
 * where something was applied that this version does not have, or another version applied it; MissingObjectsError where
 * something is gone that the migrations made.
 */
export async function recordAnew(
  settings: Settings,
  options: AnewOptions,
): Promise<readonly AnewPreview[] | undefined> {
  return withLockedDamagedDatabases(settings, options, async (databases) => {
    const found = [
      await foundOf(databases, settings, 'work'),
      await foundOf(databases, settings, 'cron'),
    ].filter((one) => one !== undefined);
    const missing: MissingObject[] = [];
    for (const one of found) {
      missing.push(...(await missingObjects(one.client, one, one.migrations)));
    }
    if (missing.length > 0) {
      throw new MissingObjectsError(missing.map((one) => withFragmentRole(one, settings)));
    }
    if (!(await options.confirm(found.map(previewOf)))) return undefined;
    for (const one of found) {
      await lockingTransaction(one.client, lockPolicy(options.log), () => write(settings, one));
    }
    return found.map(previewOf);
  });
}

/** No migration gives it: made again without, fragments would have the rights of the cron role. */
function withFragmentRole(missing: MissingObject, settings: Settings): MissingObject {
  const { schema, fragmentRole } = settings;
  const isRunner = missing.identity === `${plainName(schema)}.run_fragment`;
  if (!isRunner || fragmentRole === undefined) return missing;
  const line = `SELECT ${ownName(settings, 'set_fragment_role')}(${escapeLiteral(fragmentRole)})`;
  return { ...missing, after: [...missing.after, line] };
}

interface Found {
  readonly stream: StreamName;
  readonly client: ClientBase;
  readonly database: string;
  readonly schema: string;
  readonly applied: readonly AppliedMigration[];
  /** Those that count as applied. */
  readonly migrations: readonly Migration[];
}

function previewOf({ stream, database, migrations }: Found): AnewPreview {
  return { stream, database, migrations: migrations.length };
}

/** Undefined where nothing is deployed. */
async function foundOf(
  databases: Databases,
  settings: Settings,
  stream: StreamName,
): Promise<Found | undefined> {
  const client = databases[stream];
  const { schema, connection } = streamSites(settings)[stream];
  await requireOwnSchema(client, schema, connection.user);
  if (!(await hasRelation(client, schema, 'deployment'))) return undefined;
  const known = await streamMigrations(stream, placeholderValues(settings));
  const applied = await readLedger(client, schema, connection.user);
  // Where neither table is left, all that this version has.
  const names = new Set((applied.length > 0 ? applied : known).map(({ name }) => name));
  const migrations = known.slice(0, names.size);
  const strange = [...names].filter((name) => !migrations.some((one) => one.name === name));
  const others = applied.flatMap(({ record }) => record?.packageVersion ?? []);
  const other = others.find((one) => one !== version());
  if (strange.length > 0 || other !== undefined) {
    throw new LedgerError(
      [
        `In database "${connection.database}", this version of pcache-migrate (${version()}) cannot write the ledger anew: ` +
          (other === undefined
            ? `it has no ${strange.map(shown).join(', ')} in that place.`
            : `version ${shown(other)} applied some of it.`),
      ],
      { remedy: 'Use the version that migrated this database last.' },
    );
  }
  return { stream, client, database: connection.database, schema, applied, migrations };
}

async function write(settings: Settings, found: Found): Promise<void> {
  const { client, schema, stream, applied, migrations } = found;
  await createMissing(found);
  const release = Math.max(1, ...applied.map(({ record }) => record?.release ?? 1));
  for (const migration of migrations) {
    const record = applied.find(({ name }) => name === migration.name)?.record;
    const isSame =
      record?.upChecksum === migration.up.checksum &&
      record.downChecksum === migration.down.checksum;
    if (isSame) continue;
    await client.query(`DELETE FROM ${escapeIdentifier(schema)}.ledger WHERE name = $1`, [
      migration.name,
    ]);
    const by = { release: record?.release ?? release, packageVersion: version() };
    await recordMigration(client, schema, migration, by, 0);
  }
  const scope = objectScope(settings, stream);
  const rows = [
    ...migrationsOfLedger(scope),
    ...(stream === 'work' ? [releasesOfLedger(scope)] : []),
  ];
  for (const statement of rows) await client.query(statement);
  await recordObjectsAnew(
    client,
    scope,
    release,
    migrations.map(({ up }) => up.sql),
  );
}

/** By the statements of the first migration, which makes them all but the runner's own. */
async function createMissing({ client, schema, migrations }: Found): Promise<void> {
  const own = escapeIdentifier(schema);
  for (const table of LEDGER_TABLES) {
    if (await hasRelation(client, schema, table)) continue;
    const isOfTable = new RegExp(`^(CREATE TABLE|COMMENT ON (TABLE|COLUMN)) \\S+\\.${table}\\b`);
    const made = (migrations[0]?.up.statements ?? [])
      .map(({ text }) => text)
      .filter((text) => isOfTable.test(text));
    const runners = `CREATE TABLE ${own}.migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)`;
    for (const statement of table === 'migrations' ? [runners] : made)
      await client.query(statement);
  }
}
