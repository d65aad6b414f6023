import { PcacheError } from '../errors/pcache-error.js';

/** What is locked now is not what was looked at before. `outcome` says what was not done because of that. */
export class SetupChangedError extends PcacheError {
  override readonly name = 'SetupChangedError';

  constructor(changes: readonly string[], outcome: string) {
    super(`Somebody changed the old set-up while adopt ran: ${changes.join('; ')}. ${outcome}`, {
      remedy: 'See what is to be done now: pcache-migrate adopt --dry-run',
    });
  }
}
