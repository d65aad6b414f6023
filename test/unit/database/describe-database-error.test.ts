import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { errorCode, isDatabaseError, sqlState } from '../../../src/database/database-error.js';
import { describeDatabaseError } from '../../../src/database/describe-database-error.js';

function databaseError(properties: Partial<DatabaseError>) {
  return Object.assign(new DatabaseError('it failed', 1, 'error'), {
    severity: 'ERROR',
    code: '42P01',
    ...properties,
  });
}

test('the message and the SQLSTATE', () => {
  expect(describeDatabaseError(databaseError({}))).toBe('it failed (SQLSTATE 42P01)');
});

test('everything that the server said, in lines', () => {
  const error = databaseError({
    detail: 'what',
    hint: 'how',
    schema: 'public',
    table: 'queue',
    constraint: 'queue_pkey',
    internalQuery: 'SELECT 1',
    where: 'PL/pgSQL function f() line 3',
  });
  expect(describeDatabaseError(error).split('\n')).toEqual([
    'it failed (SQLSTATE 42P01)',
    'DETAIL: what',
    'HINT: how',
    'ON: public.queue',
    'CONSTRAINT: queue_pkey',
    'QUERY: SELECT 1',
    'CONTEXT: PL/pgSQL function f() line 3',
  ]);
});

test.each([
  [new Error('plain'), 'plain'],
  [Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }), 'no answer (ETIMEDOUT)'],
  [
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    'connect ECONNREFUSED',
  ],
  [new AggregateError([new Error('a'), new Error('b'), new Error('a')]), 'a; b'],
  [new TypeError(), 'TypeError'],
  ['thrown', 'thrown'],
])('%o', (error, description) => {
  expect(describeDatabaseError(error)).toBe(description);
});

test('an error from another copy of pg is a database error, one from the system is not', () => {
  const foreign = Object.assign(new Error(), { severity: 'ERROR', code: '42P01' });
  expect(isDatabaseError(foreign)).toBe(true);
  expect(isDatabaseError(Object.assign(new Error(), { code: 'EPIPE' }))).toBe(false);
  expect(sqlState(foreign)).toBe('42P01');
  expect(sqlState(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toBeUndefined();
  expect(errorCode('no error')).toBeUndefined();
});
