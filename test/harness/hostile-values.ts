import pg from 'pg';

// What the parameters of a function get, as SQL expressions: one value with which the function goes on, and many
// that try to become SQL, or to be none that it expects.

export interface Values {
  readonly harmless: string;
  readonly hostile: readonly string[];
}

export const PWNED = 'pwned';
const PAYLOAD = `CREATE SCHEMA ${PWNED}`;

/** What would end a literal, an identifier, a type, a column list or a statement, and go on with another. */
export const HOSTILE_TEXTS = [
  `integer[], x integer); ${PAYLOAD}; --`,
  `bigint[], x integer); ${PAYLOAD}; --`,
  `x'; ${PAYLOAD}; --`,
  `x'); ${PAYLOAD}; --`,
  `x', 1); ${PAYLOAD}; --`,
  `x"; ${PAYLOAD}; --`,
  `x); ${PAYLOAD}; --`,
  `1); ${PAYLOAD}; --`,
  `x"(i integer); ${PAYLOAD}; --`,
  `$$; ${PAYLOAD}; --`,
  `\\'; ${PAYLOAD}; --`,
  `\\'); ${PAYLOAD}; --`,
  `x\n; ${PAYLOAD};\n--`,
  `SELECT 1; ${PAYLOAD}`,
  PAYLOAD,
  '%I %s %L {{schema}}',
  '',
];

const BASIC: Readonly<Record<string, Values>> = {
  text: { harmless: "'integer'", hostile: HOSTILE_TEXTS.map(pg.escapeLiteral) },
  integer: { harmless: '8', hostile: ['-2147483648', '2147483647', '-1', '0'] },
  bigint: { harmless: '8', hostile: ['-9223372036854775808', '9223372036854775807', '-1', '0'] },
  numeric: { harmless: '8', hostile: ["'NaN'::numeric", '-1', '1e1000'] },
  boolean: { harmless: 'true', hostile: ['false'] },
  'timestamp without time zone': { harmless: "'2026-01-01'", hostile: ["'infinity'"] },
  'timestamp with time zone': { harmless: "'2026-01-01'", hostile: ["'infinity'", "'-infinity'"] },
  interval: { harmless: "'1 second'", hostile: ["'-100 years'", "'100 years'"] },
  oid: { harmless: '23', hostile: ['0', '4294967295'] },
  regtype: { harmless: "'integer'", hostile: ['0'] },
};

async function valuesOf(client: pg.Client, type: number, json: unknown): Promise<Values> {
  const { rows } = await client.query<{
    name: string;
    kind: string;
    element: number;
    attributes: number[] | null;
  }>(
    `SELECT format_type(pg_type.oid, NULL) AS name, typtype AS kind,
            CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END::int AS element,
            (SELECT array_agg(atttypid::int ORDER BY attnum) FROM pg_attribute
              WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped) AS attributes
       FROM pg_type WHERE pg_type.oid = $1`,
    [type],
  );
  const [described] = rows;
  if (described === undefined) throw new Error(`there is no type ${type}`);
  const { name, kind, element, attributes } = described;
  const { harmless, hostile } =
    name === 'jsonb'
      ? documents(json)
      : element !== 0
        ? arrays(name, await valuesOf(client, element, json))
        : kind === 'c'
          ? records(name, await allValuesOf(client, attributes ?? [], json))
          : basic(name);
  return { harmless, hostile: [...hostile, `NULL::${name}`] };
}

/** `json` is a document that the functions take as it is; hostile ones differ from it in one leaf. */
export async function allValuesOf(
  client: pg.Client,
  types: readonly number[],
  json: unknown,
): Promise<Values[]> {
  const all: Values[] = [];
  for (const type of types) all.push(await valuesOf(client, type, json));
  return all;
}

function basic(name: string): Values {
  const values = BASIC[name];
  if (values === undefined) throw new Error(`values of type ${name} are missing here`);
  const typed = (value: string) => `${value}::${name}`;
  return { harmless: typed(values.harmless), hostile: values.hostile.map(typed) };
}

function arrays(name: string, { harmless, hostile }: Values): Values {
  const array = (value: string) => `ARRAY[${value}]::${name}`;
  return { harmless: array(harmless), hostile: [...hostile.map(array), `'{}'::${name}`] };
}

function records(name: string, attributes: readonly Values[]): Values {
  const harmless = attributes.map((attribute) => attribute.harmless);
  const record = (values: readonly string[]) => `ROW(${values.join(', ')})::${name}`;
  return {
    harmless: record(harmless),
    hostile: attributes.flatMap(({ hostile }, place) =>
      hostile.map((value) => record(harmless.with(place, value))),
    ),
  };
}

function documents(json: unknown): Values {
  const document = (value: unknown) => `${pg.escapeLiteral(JSON.stringify(value))}::jsonb`;
  const others = [...HOSTILE_TEXTS, null, -1, true, [], {}];
  return {
    harmless: document(json),
    hostile: [
      ...others,
      ...others.flatMap((other) => leavesOf(json).map((path) => replaced(json, path, other))),
    ].map(document),
  };
}

type Path = readonly string[];

function leavesOf(json: unknown): Path[] {
  if (typeof json !== 'object' || json === null) return [[]];
  return Object.entries(json).flatMap(([key, value]) =>
    leavesOf(value).map((path) => [key, ...path]),
  );
}

function replaced(json: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  const child = replaced((json as Record<string, unknown>)[key], rest, other);
  return Array.isArray(json)
    ? json.with(Number(key), child)
    : { ...(json as Record<string, unknown>), [key]: child };
}
