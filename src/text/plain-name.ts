import { escapeIdentifier } from 'pg';

/** An identifier in a text for people: quoted only where it has to be. */
export function plainName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : escapeIdentifier(name);
}
