import { describe, expect, it } from 'vitest';
import {
  dropStatements,
  inOrderOfUse,
  isReplaceable,
  parseRoutine,
  RoutineSourceError,
  revokeStatements,
} from '../../../tools/migrations/routine.js';
import { functionSource, viewSource } from './sources.js';

const overloaded = `CREATE OR REPLACE FUNCTION {{schema}}.f(p_a text, p_b integer DEFAULT NULL) RETURNS text
LANGUAGE sql
AS $$ SELECT p_a $$;
CREATE OR REPLACE FUNCTION {{schema}}.f(p_a text) RETURNS text
LANGUAGE sql
AS $$ SELECT {{schema}}.f(p_a, 1) $$;
`;

describe('the source of a routine', () => {
  it.each([
    ['another name', 'g', functionSource('f')],
    ['nothing', 'f', 'SELECT 1;'],
    ['two names', 'f', functionSource('f') + functionSource('g')],
    ['CREATE alone', 'f', functionSource('f').replace('CREATE OR REPLACE', 'CREATE')],
    ['a schema of its own', 'f', functionSource('f').replaceAll('{{schema}}', 'public')],
  ])('is refused when it creates %s', (_, name, text) => {
    expect(() => parseRoutine(name, text)).toThrow(RoutineSourceError);
  });

  it('is dropped by its parameters where clients may make an overload', () => {
    const ofClients = functionSource('f', 'p_a text').replaceAll('{{schema}}', '{{client_schema}}');
    expect(dropStatements(parseRoutine('f', ofClients))).toEqual([
      'DROP FUNCTION {{client_schema}}.f(p_a text);',
    ]);
  });

  it('is dropped by name, and by parameters only where the name is overloaded', () => {
    expect(dropStatements(parseRoutine('f', functionSource('f', 'p_a text')))).toEqual([
      'DROP FUNCTION {{schema}}.f;',
    ]);
    expect(dropStatements(parseRoutine('v', viewSource('v')))).toEqual(['DROP VIEW {{schema}}.v;']);
    expect(dropStatements(parseRoutine('f', overloaded))).toEqual([
      'DROP FUNCTION {{schema}}.f(p_a text);',
      'DROP FUNCTION {{schema}}.f(p_a text, p_b integer);',
    ]);
  });
});

describe('CREATE OR REPLACE', () => {
  const before = functionSource('f', 'p_a text');

  it.each([
    ['another body', before.replace('SELECT 1', 'SELECT 2')],
    ['another setting', before.replace('LANGUAGE sql', 'LANGUAGE sql\nSET jit = off')],
    ['another line break in the heading', before.replace(' RETURNS', '\nRETURNS')],
    ['parameters on their own lines', before.replace('(p_a text)', '(\n  p_a text\n)')],
  ])('is enough for %s', (_, after) => {
    expect(isReplaceable(parseRoutine('f', before), parseRoutine('f', after))).toBe(true);
  });

  it.each([
    ['another parameter', before.replace('p_a text', 'p_b text')],
    ['another result', before.replace('RETURNS integer', 'RETURNS bigint')],
  ])('is not enough for %s', (_, after) => {
    expect(isReplaceable(parseRoutine('f', before), parseRoutine('f', after))).toBe(false);
  });
});

describe('a privilege', () => {
  const granting = (roles: string) =>
    parseRoutine(
      'f',
      `${functionSource('f')}GRANT EXECUTE ON FUNCTION {{schema}}.f TO ${roles};\n`,
    );
  const both = granting('{{cron_role}}, {{client_role}}');

  it('that changes hands is revoked from all, and the owner keeps its own', () => {
    expect(revokeStatements(both, granting('{{cron_role}}'))).toEqual([
      'REVOKE EXECUTE ON FUNCTION {{schema}}.f FROM {{cron_role}};',
      'REVOKE EXECUTE ON FUNCTION {{schema}}.f FROM {{client_role}};',
      'GRANT EXECUTE ON FUNCTION {{schema}}.f TO CURRENT_USER;',
    ]);
  });

  it('that stays needs nothing, in whatever order the roles are', () => {
    expect(revokeStatements(both, granting('{{client_role}},\n  {{cron_role}}'))).toEqual([]);
    expect(revokeStatements(parseRoutine('f', functionSource('f')), both)).toEqual([]);
  });
});

it('defaults, with commas of any kind, are no part of what is dropped', () => {
  const first = functionSource(
    'f',
    "p_a text DEFAULT repeat('a,b', 2), p_b text[] DEFAULT ARRAY['x', 'y'], p_c numeric(10, 2) = 1",
  );
  expect(dropStatements(parseRoutine('f', first + functionSource('f')))).toEqual([
    'DROP FUNCTION {{schema}}.f();',
    'DROP FUNCTION {{schema}}.f(p_a text, p_b text[], p_c numeric(10, 2));',
  ]);
});

it('routines come after those that they use', () => {
  const sources = [
    parseRoutine('a', functionSource('a').replace('SELECT 1', 'SELECT {{schema}}.b()')),
    parseRoutine('b', functionSource('b').replace('SELECT 1', 'SELECT * FROM {{schema}}.c')),
    parseRoutine('c', viewSource('c')),
  ];
  expect(inOrderOfUse(sources).map(({ name }) => name)).toEqual(['c', 'b', 'a']);
});
