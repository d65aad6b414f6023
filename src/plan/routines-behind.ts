import type { ClientBase } from 'pg';
import { nameOf, sqlTokens } from '../migrations/sql-tokens.js';

/**
 * The functions of the schema that one of them calls, directly or through others, itself included, by the qualified
 * names in their bodies; and the tables of either schema that they name, by any word: one too many does no harm.
 */
export interface Behind {
  readonly routines: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
}

export async function whatIsBehind(
  client: ClientBase,
  routine: string,
  schema: string,
  tableSchemas: readonly string[],
): Promise<Behind> {
  const { rows: bodies } = await client.query<{ name: string; body: string }>(
    `SELECT p.proname::text AS name, p.prosrc AS body
       FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = $1`,
    [schema],
  );
  const routines = new Set([routine]);
  // A set is walked through with what is added meanwhile.
  for (const name of routines) {
    const named = namesIn(
      schema,
      bodies.filter((body) => body.name === name),
    );
    for (const { name: other } of bodies) if (named.has(other)) routines.add(other);
  }
  const words = wordsOf(bodies.filter(({ name }) => routines.has(name)));
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
    [tableSchemas],
  );
  return {
    routines,
    tables: new Set(tables.map(({ name }) => name).filter((name) => words.has(name))),
  };
}

/** What follows the name of the schema in code, not in a comment. */
function namesIn(schema: string, bodies: readonly { readonly body: string }[]): Set<string> {
  return new Set(
    bodies.flatMap(({ body }) => {
      const tokens = [...sqlTokens(body)].filter(
        ({ kind }) => kind !== 'space' && kind !== 'comment',
      );
      return tokens.flatMap(({ text }, index) =>
        tokens[index - 1]?.text === '.' && isName(tokens[index - 2]?.text, schema)
          ? [nameOf(text)]
          : [],
      );
    }),
  );
}

function isName(token: string | undefined, name: string): boolean {
  return token !== undefined && nameOf(token) === name;
}

function wordsOf(bodies: readonly { readonly body: string }[]): Set<string> {
  return new Set(bodies.flatMap(({ body }) => body.match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []));
}
