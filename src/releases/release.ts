/** `unfinished`: under way, or its client was lost. */
export type ReleaseOutcome = 'unfinished' | 'done' | 'failed';

/** One run of `up` that changed something, in both databases, or that failed to. */
export interface Release {
  /** Counted from 1. */
  readonly number: number;
  readonly packageVersion: string;
  /** The hash of the plan that was run. */
  readonly planHash: string | undefined;
  /** Where it comes from: PCACHE_RELEASE_NOTE, or what the CI says of itself. */
  readonly label: string | undefined;
  readonly role: string;
  /** The host that pcache-migrate ran on. */
  readonly host: string;
  readonly program: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | undefined;
  readonly outcome: ReleaseOutcome;
  readonly error: string | undefined;
  /** What it applied, also if it was undone since. */
  readonly workMigrations: readonly string[];
  readonly cronMigrations: readonly string[];
  readonly undoneAt: Date | undefined;
  readonly undoneBy: string | undefined;
}
