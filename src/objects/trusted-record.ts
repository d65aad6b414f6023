import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { whoElseMayWrite } from '../migrations/who-else-may-write.js';
import { RECORD_TABLES } from './record.js';
import type { ObjectScope } from './scope.js';

/** Somebody else may have written what would be run. */
export class UntrustedRecordError extends PcacheError {
  override readonly name = 'UntrustedRecordError';

  constructor({ schema, database }: ObjectScope, reasons: readonly string[]) {
    super(
      `The record in schema "${schema}" of database "${database}" is not run, since others may have changed it: ${reasons.map(shown).join('; ')}.`,
      {
        remedy:
          'Take that away as the owner of the schema, then find out by pcache-migrate verify what was recorded, and only then run it with --fix.',
      },
    );
  }
}

/** Raises UntrustedRecordError unless nobody but a trusted owner can have written the record. */
export async function requireTrustedRecord(client: ClientBase, scope: ObjectScope): Promise<void> {
  const reasons = await whoElseMayWrite(client, scope.schema, [...RECORD_TABLES, 'ledger']);
  if (reasons.length > 0) throw new UntrustedRecordError(scope, reasons);
}
