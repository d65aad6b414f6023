import { shown } from '../errors/shown.js';
/** `0001_first to 0035_last`, or the only one; empty for none. */
export function span(migrations: readonly string[]): string {
  const [first = '', last = ''] = [migrations[0], migrations.at(-1)].map((name) =>
    shown(name ?? ''),
  );
  return migrations.length > 1 ? `${first} to ${last}` : first;
}
