import type { ClientBase } from 'pg';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { StreamName } from '../migrations/streams.js';
import type { NamedDifference } from '../objects/named-difference.js';
import { reportObjects } from '../objects/object-report.js';
import { objectScope } from '../objects/scope.js';
import { driftInTheWay } from '../plan/drift-in-the-way.js';
import type { Settings } from '../settings/settings.js';

export interface DriftedObject extends Pick<NamedDifference, 'kind' | 'identity' | 'diff'> {
  readonly database: string;
}

/** Somebody changed by hand what a migration is about to replace. */
export class DriftInTheWayError extends PcacheError {
  override readonly name = 'DriftInTheWayError';
  readonly objects: readonly DriftedObject[];

  constructor(objects: readonly DriftedObject[]) {
    super(
      [
        'What was changed by hand would be lost, since pending migrations replace it; no migration was run:',
        ...objects.map(
          ({ kind, identity, database, diff = '' }) =>
            `  ${kind} ${shown(identity)} in database "${database}"${shortened(diff)}`,
        ),
      ].join('\n'),
      {
        remedy:
          'Ask pcache-migrate verify what differs. Undo it (pcache-migrate verify --fix), or, if it may be lost: pcache-migrate up --overwrite-drift',
      },
    );
    this.objects = objects;
  }
}

/** Whether something changed by hand would be lost cannot be told. */
export class DriftUnknownError extends PcacheError {
  override readonly name = 'DriftUnknownError';

  constructor(why: string) {
    super(
      `Whether pending migrations would replace something that was changed by hand is unknown; no migration was run: ${why}`,
      { remedy: 'Mend that; or, if it may be lost: pcache-migrate up --overwrite-drift' },
    );
  }
}

/**
 * Raises DriftInTheWayError if the scripts would replace, alter or drop what is not as a release left it, and
 * DriftUnknownError where that cannot be told, but should.
 */
export async function requireNoDrift(
  settings: Settings,
  streams: readonly {
    readonly stream: StreamName;
    readonly client: ClientBase;
    /** What is about to run. */
    readonly scripts: readonly string[];
  }[],
): Promise<void> {
  const found: DriftedObject[] = [];
  for (const { stream, client, scripts } of streams) {
    if (scripts.length === 0) continue;
    const scope = objectScope(settings, stream);
    const { differences, unknown, isExpected } = await inReadOnlyTransaction(client, () =>
      reportObjects(client, settings, scope),
    );
    if (unknown !== undefined && !isExpected) throw new DriftUnknownError(unknown);
    const { database } = scope;
    found.push(...driftInTheWay(differences, scripts).map((one) => ({ ...one, database })));
  }
  if (found.length > 0) throw new DriftInTheWayError(found);
}

const MOST_LINES = 40;

function shortened(diff: string): string {
  const lines = diff.split('\n').filter((line) => line !== '');
  const kept = lines.slice(0, MOST_LINES).map((line) => `\n    ${shown(line)}`);
  return kept.join('') + (lines.length > MOST_LINES ? '\n    …' : '');
}
