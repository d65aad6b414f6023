import { expect, test } from 'vitest';
import type { NamedDifference } from '../../../src/objects/named-difference.js';
import { driftInTheWay } from '../../../src/plan/drift-in-the-way.js';

function drifted(kind: string, identity: string): NamedDifference {
  return { kind, identity, problem: 'changed', meaning: '', remedy: '', restorable: true };
}

const DRIFT: readonly (readonly [kind: string, identity: string])[] = [
  ['function', 'own.f(integer, text)'],
  ['view', 'own.v'],
  ['view', '"S ""x"."a.b"'],
  ['trigger', 't ON public."Queue"'],
  ['column', 'public."Queue".note'],
  ['index', 'public.queue_i'],
  ['constraint', 'c ON public."Queue"'],
  ['table', 'own.batch'],
  ['grant', 'function own.f(integer, text) TO app'],
];

test.each<[sql: string, inTheWay: string[]]>([
  ['CREATE OR REPLACE FUNCTION "own".f(a integer, b text) RETURNS int AS $$ $$;', ['function']],
  ['DROP FUNCTION "own"."f";', ['function']],
  ['CREATE OR REPLACE FUNCTION "own".g() RETURNS int AS $$ own.f own.v $$;', []],
  ['DROP VIEW "own".v;\nCREATE VIEW "own".v AS SELECT 1;', ['view']],
  ['DROP VIEW "S ""x"."a.b";', ['view']],
  ['DROP TRIGGER t ON "public"."Queue";', ['trigger']],
  [
    'CREATE OR REPLACE TRIGGER t BEFORE INSERT ON "public"."Queue" EXECUTE FUNCTION x.y();',
    ['trigger'],
  ],
  ['DROP TRIGGER other ON "public"."Queue";', []],
  ['ALTER TABLE "public"."Queue" ALTER COLUMN note TYPE text;', ['column']],
  ['ALTER TABLE "public"."Queue" DROP CONSTRAINT c;', ['constraint']],
  ['ALTER TABLE "public"."Queue" ADD COLUMN more text;', []],
  ['DROP INDEX "public".queue_i;', ['index']],
  ['DROP TABLE "public"."Queue";', ['trigger', 'column', 'constraint']],
  ['ALTER TABLE "own".batch ADD COLUMN more text;', ['table']],
  ['GRANT SELECT ON "own".batch TO app;\nINSERT INTO "public"."Queue" (note) VALUES (1);', []],
])('%s', (sql, inTheWay) => {
  const differences = DRIFT.map(([kind, identity]) => drifted(kind, identity));
  expect(driftInTheWay(differences, [sql]).map(({ kind }) => kind)).toEqual(inTheWay);
});
