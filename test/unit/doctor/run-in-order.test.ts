import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import {
  type Check,
  type Finding,
  failed,
  ok,
  text,
  warning,
} from '../../../src/doctor/check-result.js';
import { runInOrder } from '../../../src/doctor/run-in-order.js';

function check(id: string, needs: string[], run: () => Finding): Check<undefined> {
  return { id, title: `title of ${id}`, needs, run };
}

const broken = () => failed('broken', text('user', 'fix it'));

async function statuses(...checks: Check<undefined>[]): Promise<string[]> {
  return (await runInOrder(checks, undefined)).map(({ id, status }) => `${id} ${status}`);
}

test('a check is skipped when what it needs failed or was skipped itself', async () => {
  expect(
    await statuses(
      check('a', [], broken),
      check('b', ['a'], () => ok('')),
      check('c', ['b'], () => ok('')),
      check('d', [], () => ok('')),
      check('e', ['d'], () => ok('')),
    ),
  ).toEqual(['a failed', 'b skipped', 'c skipped', 'd ok', 'e ok']);
});

test('a skipped check says why', async () => {
  const results = await runInOrder([check('a', [], broken), check('b', ['a'], broken)], undefined);
  expect(results[1]?.detail).toBe('not checked, because of: title of a');
});

test('a warning, or a check that does not apply, blocks nothing', async () => {
  expect(
    await statuses(
      check('a', [], () => warning('')),
      check('b', ['a', 'elsewhere'], () => ok('')),
    ),
  ).toEqual(['a warning', 'b ok']);
});

test('a query that the server rejects is a failure, with what the server said', async () => {
  const refuse = () => {
    throw Object.assign(new DatabaseError('permission denied for table job', 0, 'error'), {
      severity: 'ERROR',
      code: '42501',
    });
  };
  const [result] = await runInOrder([check('a', [], refuse)], undefined);
  expect(result?.status).toBe('failed');
  expect(result?.detail).toContain('permission denied for table job (SQLSTATE 42501)');
});

test('an error in our own code is not a finding', async () => {
  const mistaken = () => {
    throw new TypeError('undefined is not a function');
  };
  await expect(runInOrder([check('a', [], mistaken)], undefined)).rejects.toThrow(TypeError);
});
