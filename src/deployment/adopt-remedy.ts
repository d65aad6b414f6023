/** What puts a database right that moved. */
export const ADOPT =
  'Put it right with: pcache-migrate adopt. What it will do, pcache-migrate adopt --dry-run shows.';
