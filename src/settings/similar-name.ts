/** The known name that a misspelt one most likely stands for. */
export function mostSimilar(misspelt: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((name) => ({ name, cost: editCost(misspelt, name) }))
    .sort((one, other) => one.cost - other.cost);
  return best?.name;
}

// Missing letters are cheap, so that an abbreviation (PG_CRON_DB) matches what it abbreviates
// (PG_CRON_DATABASE) rather than another short name (PG_CRON_URL).
const INSERT = 1;
const DELETE = 2;
const REPLACE = 3;

function editCost(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column * INSERT);
  for (const letter of from) {
    const current = [at(previous, 0) + DELETE];
    for (let column = 1; column <= to.length; column++) {
      current.push(
        Math.min(
          at(previous, column) + DELETE,
          at(current, column - 1) + INSERT,
          at(previous, column - 1) + (letter === to[column - 1] ? 0 : REPLACE),
        ),
      );
    }
    previous = current;
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
