/** `0001_first to 0035_last`, or the only one; empty for none. */
export function span(migrations: readonly string[]): string {
  const [first, last] = [migrations[0], migrations.at(-1)];
  return migrations.length > 1 ? `${first} to ${last}` : (first ?? '');
}
