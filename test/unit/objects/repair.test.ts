import { describe, expect, it, test } from 'vitest';
import type { ObjectDifference } from '../../../src/objects/compare.js';
import { attachment, columnOf, keyParts } from '../../../src/objects/identity.js';
import { byKey } from '../../../src/objects/next-record.js';
import { remedyOf } from '../../../src/objects/remedy.js';
import { repairOf } from '../../../src/objects/repair.js';
import { listed, recorded } from './objects.js';

function difference(
  kind: string,
  identity: string,
  expected: string | undefined,
  found: string | undefined,
  parents: string[] = [],
): ObjectDifference {
  return {
    kind,
    identity,
    problem: expected === undefined ? 'unexpected' : found === undefined ? 'missing' : 'changed',
    expected: expected === undefined ? undefined : recorded(kind, identity, expected, { parents }),
    found: found === undefined ? undefined : listed(kind, identity, found, { parents }),
  };
}

const statements = (one: ObjectDifference, known = [recorded('schema', 's')]) =>
  repairOf(one, byKey(known))?.statements;

describe('a repair', () => {
  it('of a grant gives what is missing and takes what is too much', () => {
    const table = ['table s.t'];
    const of = (expected?: string, found?: string) =>
      statements(difference('grant', 'table s.t TO "a b"', expected, found, table));
    expect(of('INSERT\nSELECT (a, b)')).toEqual([
      'GRANT INSERT, SELECT (a, b) ON TABLE s.t TO "a b"',
    ]);
    expect(of(undefined, 'INSERT\nUPDATE (a)')).toEqual([
      'REVOKE INSERT, UPDATE (a) ON TABLE s.t FROM "a b" CASCADE',
    ]);
    expect(of('INSERT', 'INSERT WITH GRANT OPTION\nSELECT')).toEqual([
      'REVOKE INSERT, SELECT ON TABLE s.t FROM "a b" CASCADE',
      'GRANT INSERT ON TABLE s.t TO "a b"',
    ]);
    expect(of('INSERT\nSELECT WITH GRANT OPTION')).toEqual([
      'GRANT INSERT ON TABLE s.t TO "a b"',
      'GRANT SELECT ON TABLE s.t TO "a b" WITH GRANT OPTION',
    ]);
  });

  it('of a grant names the columns of a sequence as those of a table', () => {
    const found = 'SELECT (last_value)\nUSAGE';
    expect(
      statements(
        difference('grant', 'sequence s.q TO x', 'SELECT', found, ['table s.t', 'sequence s.q']),
      ),
    ).toEqual([
      'REVOKE USAGE ON SEQUENCE s.q FROM x CASCADE',
      'GRANT SELECT ON SEQUENCE s.q TO x',
      'REVOKE SELECT (last_value) ON TABLE s.q FROM x CASCADE',
    ]);
  });

  it.each(['cron_link', 'ledger', 'migrations', 'recorded_object', 'release', 'recording'])(
    'grants nobody anything on table %s, and says why',
    (table) => {
      const key = `table s.${table}`;
      const of = (expected?: string, found?: string, grantee = 'x') =>
        difference('grant', `${key} TO ${grantee}`, expected, found, [key]);
      for (const one of [of('SELECT'), of('INSERT\nSELECT', 'INSERT'), of('SELECT', 'UPDATE')]) {
        expect(statements(one)).toBeUndefined();
        expect(remedyOf(one)).toContain('verify --fix grants nothing on this table');
      }
      expect(statements(of(undefined, 'SELECT'))).toEqual([
        `REVOKE SELECT ON TABLE ${key.slice('table '.length)} FROM x CASCADE`,
      ]);
      expect(statements(of('ALL', 'SELECT', 'its owner'))).not.toBeUndefined();
    },
  );

  it.each([
    ['function s.f(text)', 'ROUTINE s.f(text)'],
    ['view s.v', 'TABLE s.v'],
    ['sequence s.q', 'SEQUENCE s.q'],
    ['schema s', 'SCHEMA s'],
    ['domain s.d', 'TYPE s.d'],
  ])('of a grant names a %s as GRANT does', (key, on) => {
    expect(statements(difference('grant', `${key} TO PUBLIC`, 'USAGE', undefined, [key]))).toEqual([
      `GRANT USAGE ON ${on} TO PUBLIC`,
    ]);
  });

  it('of a trigger restores its state, too', () => {
    expect(
      statements(difference('trigger', 't ON s.t', 'CREATE TRIGGER t …\nENABLE ALWAYS', 'other')),
    ).toEqual([
      'DROP TRIGGER IF EXISTS t ON s.t',
      'CREATE TRIGGER t …',
      'ALTER TABLE s.t ENABLE ALWAYS TRIGGER t',
    ]);
  });

  it('of a comment quotes it', () => {
    expect(statements(difference('comment', 'column s.t.a', "it's", undefined))).toEqual([
      "COMMENT ON COLUMN s.t.a IS 'it''s'",
    ]);
    expect(statements(difference('comment', 'materialized view s.m', undefined, 'x'))).toEqual([
      'COMMENT ON MATERIALIZED VIEW s.m IS NULL',
    ]);
  });

  it('of an owner lets him create in the schema for that moment alone', () => {
    const known = [recorded('schema', 's'), recorded('owner', 'schema s', 'migrator')];
    const owner = (role: string) =>
      statements(difference('owner', 'function s.f()', role, 'other'), known);
    expect(owner('migrator')).toEqual(['ALTER FUNCTION s.f() OWNER TO migrator']);
    expect(owner('fragment')).toEqual([
      'GRANT CREATE ON SCHEMA s TO fragment',
      'ALTER FUNCTION s.f() OWNER TO fragment',
      'REVOKE CREATE ON SCHEMA s FROM fragment',
    ]);
  });

  it.each(['table', 'column', 'constraint', 'index', 'sequence', 'type', 'policy', 'extension'])(
    'is none of a %s that is another',
    (kind) => {
      expect(statements(difference(kind, 's.x', 'a', 'b'))).toBeUndefined();
    },
  );

  it.each(['policy', 'child table', 'materialized view', 'foreign table'])(
    'is none of a %s that is gone',
    (kind) => {
      expect(statements(difference(kind, 's.x', 'a', undefined))).toBeUndefined();
    },
  );

  it('makes what is gone again', () => {
    const gone = (kind: string, identity: string, definition: string) =>
      statements(difference(kind, identity, definition, undefined));
    expect(gone('column', 's.t.a', 'text NOT NULL')).toEqual([
      'ALTER TABLE s.t ADD COLUMN a text NOT NULL',
    ]);
    expect(gone('constraint', 'c ON s.t', 'CHECK (a > 0)')).toEqual([
      'ALTER TABLE s.t ADD CONSTRAINT c CHECK (a > 0)',
    ]);
    expect(gone('index', 's.i', 'CREATE INDEX i ON s.t (a)')).toEqual([
      'CREATE INDEX i ON s.t (a)',
    ]);
    expect(gone('extension', 'intarray', 'SCHEMA public')).toEqual([
      'CREATE EXTENSION intarray SCHEMA public',
    ]);
  });

  it('of a table makes its columns in their order, and its sequences around it', () => {
    const of = { parents: ['table s.t'] };
    const known = [
      recorded('column', 's.t.b', 'text', { ...of, position: 3 }),
      recorded('column', 's.t.id', "integer NOT NULL DEFAULT nextval('s.q'::regclass)", {
        ...of,
        position: 2,
      }),
      recorded('sequence', 's.q', 'AS integer\nOWNED BY s.t.id', {
        parents: ['table s.t', 'column s.t.id'],
      }),
      recorded('column', 's.other.a', 'text', { parents: ['table s.other'] }),
    ];
    expect(statements(difference('table', 's.t', 'permanent', undefined), known)).toEqual([
      'CREATE SEQUENCE s.q AS integer',
      "CREATE TABLE s.t (\n  id integer NOT NULL DEFAULT nextval('s.q'::regclass),\n  b text\n)",
      'ALTER SEQUENCE s.q OWNED BY s.t.id',
    ]);
    expect(
      statements(difference('table', 's.t', 'permanent\nWITH (fillfactor=50)', undefined), known),
    ).toBeUndefined();
  });

  it('gives a column its default and NOT NULL, but no other type', () => {
    const column = (expected: string, found: string) =>
      statements(difference('column', 's.t.a', expected, found));
    expect(column('text NOT NULL DEFAULT 1', 'text')).toEqual([
      'ALTER TABLE s.t ALTER COLUMN a SET DEFAULT 1',
      'ALTER TABLE s.t ALTER COLUMN a SET NOT NULL',
    ]);
    expect(column('text', 'text DEFAULT 2')).toEqual([
      'ALTER TABLE s.t ALTER COLUMN a DROP DEFAULT',
    ]);
    expect(column('text', 'integer')).toBeUndefined();
  });

  it('gives a composite type what it lost in its order, and takes nothing away', () => {
    const type = (expected: string, found: string) =>
      statements(difference('type', 's.t', expected, found));
    expect(type('AS (a numeric(10,2), "b, c" text, d x[])', 'AS (a numeric(10,2), d x[])')).toEqual(
      [
        'ALTER TYPE s.t DROP ATTRIBUTE d',
        'ALTER TYPE s.t ADD ATTRIBUTE "b, c" text',
        'ALTER TYPE s.t ADD ATTRIBUTE d x[]',
      ],
    );
    expect(type('AS (a text)', 'AS (a text, "b c" text)')).toBeUndefined();
    expect(type("AS ENUM ('a')", "AS ENUM ('a', 'b')")).toBeUndefined();
  });

  it('gives what was renamed its name', () => {
    const renamed = (kind: string, identity: string, other: string) =>
      statements({
        ...difference(kind, identity, 'a', 'a'),
        found: listed(kind, other, 'a'),
      });
    expect(renamed('table', 's.t', 's.u')).toEqual(['ALTER TABLE s.u RENAME TO t']);
    expect(renamed('column', 's.t.a', 's.t.b')).toEqual(['ALTER TABLE s.t RENAME COLUMN b TO a']);
  });

  it.each(['function', 'view', 'trigger'])('takes no %s away that others made', (kind) => {
    expect(statements(difference(kind, 's.x', undefined, 'CREATE …'))).toBeUndefined();
  });
});

test.each([
  [difference('trigger', '"a ON b" ON s.t', undefined, 'x'), 'DROP TRIGGER "a ON b" ON s.t;'],
  [difference('column', 's.t."a.b"', undefined, 'text'), 'ALTER TABLE s.t DROP COLUMN "a.b";'],
  [difference('constraint', 'c ON s.t', undefined, 'x'), 'ALTER TABLE s.t DROP CONSTRAINT c;'],
  [difference('column', 's.t.a', 'text', 'integer'), 'ALTER COLUMN a TYPE text USING a::text;'],
  [
    difference('table', 's.t', 'permanent', 'permanent\nROW LEVEL SECURITY ENABLED'),
    'ALTER TABLE s.t DISABLE ROW LEVEL SECURITY;',
  ],
  [
    difference(
      'default privileges',
      'FOR ROLE "x ON y" IN SCHEMA s ON TABLES',
      undefined,
      'SELECT TO z',
    ),
    'ALTER DEFAULT PRIVILEGES FOR ROLE "x ON y" IN SCHEMA s REVOKE SELECT ON TABLES FROM z;',
  ],
])('the remedy for what is left: %#', (one, line) => {
  expect(remedyOf(one)).toContain(line);
});

test('identities are taken apart at their quotes', () => {
  expect(attachment('"a ON ""b" ON "s t"."u"')).toEqual({
    name: '"a ON ""b"',
    relation: '"s t"."u"',
  });
  expect(columnOf('s."t.u"."a.b"')).toEqual({ relation: 's."t.u"', name: '"a.b"' });
  expect(keyParts('materialized view s.m')).toEqual({ kind: 'materialized view', identity: 's.m' });
});
