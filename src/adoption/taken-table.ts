/** What became of a table. */
export interface TakenTable {
  readonly table: string;
  readonly taken: number;
  /** Fragments put into the queue, to be evaluated again. */
  readonly queued: number;
  /** What stays in the schema for that, and why; undefined: the old table is gone, or is the table itself now. */
  readonly kept: string | undefined;
}
