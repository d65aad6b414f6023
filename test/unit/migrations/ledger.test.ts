import { expect, test } from 'vitest';
import { checkLedger, pending } from '../../../src/migrations/ledger.js';

const migrations = ['0001_a', '0002_b', '0003_c'].map((name) => ({ name }));

function check(...applied: string[]): () => void {
  return () =>
    checkLedger(
      applied.map((name) => ({ name })),
      migrations,
    );
}

test('what is applied must be the first of the known migrations, in their order', () => {
  expect(check()).not.toThrow();
  expect(check('0001_a', '0002_b')).not.toThrow();
});

test('what a newer version applied is named, once, with the remedy', () => {
  expect(check('0001_a', '0002_b', '0003_c', '0004_d', '0005_e', '0006_f')).toThrow(
    expect.objectContaining({
      message:
        'Migrations 0004_d to 0006_f are applied, but not in this version.\n' +
        'This database was migrated by a newer pcache-migrate.',
    }),
  );
  expect(check('0001_a', '0002_b', '0003_c', '0004_d')).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/^Migration 0004_d is applied/),
      remedy: 'Install the newer version that migrated this database.',
    }),
  );
});

test('another history is refused from its first migration on, with the remedy', () => {
  for (const applied of [['0001_x'], ['0001_x', '0002_y'], ['0001_x', '0002_b']]) {
    expect(check(...applied)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(
          `begins with 0001_x, which is no migration of this version \\(${applied.length} are applied`,
        ),
        remedy:
          'Roll it back with the build that migrated it (pcache-migrate down --all), then deploy it with this one (pcache-migrate up).',
      }),
    );
  }
});

test('what another build applied is refused, and not taken for a newer version', () => {
  expect(check('0001_a', '0002_x', '0003_y', '0004_z')).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /0002_x in place 2, where 0002_b belongs.*by another build of pcache-migrate/s,
      ),
    }),
  );
});

test('a gap, another order and a repetition are refused', () => {
  expect(check('0001_a', '0003_c')).toThrow(/0003_c in place 2, where 0002_b belongs/);
  expect(check('0002_b', '0001_a')).toThrow(/0002_b in place 1.*0001_a in place 2/s);
  expect(check('0001_a', '0002_b', '0003_c', '0003_c')).toThrow(/place 4, where nothing belongs/);
});

test('pending are those not applied', () => {
  const appliedAt = new Date();
  expect(pending([{ name: '0001_a', appliedAt }], migrations)).toEqual(migrations.slice(1));
});
