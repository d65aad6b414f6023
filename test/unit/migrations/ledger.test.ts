import { expect, test } from 'vitest';
import { judgeLedger } from '../../../src/migrations/judge-ledger.js';
import { type AppliedMigration, pending } from '../../../src/migrations/ledger.js';

const migrations = ['0001_a', '0002_b', '0003_c'].map((name) => ({
  name,
  up: { checksum: `${name} up` },
  down: { checksum: `${name} down` },
}));

function applied(
  name: string,
  changes: Partial<AppliedMigration['record']> = {},
): AppliedMigration {
  const record = {
    release: 1,
    packageVersion: '0.2.0',
    appliedBy: 'migrator',
    seconds: 0.1,
    upChecksum: `${name} up`,
    downChecksum: `${name} down`,
    breaksOlder: false,
    inTransaction: true,
    drops: [],
    ...changes,
  };
  return { name, appliedAt: new Date(0), record, isListed: true };
}

function judge(...names: string[]) {
  return judgeLedger(
    names.map((name) => applied(name)),
    migrations,
  );
}

test('what is applied must be the first of the known migrations, in their order', () => {
  expect(judge()).toEqual({ newer: [], fault: undefined });
  expect(judge('0001_a', '0002_b')).toEqual({ newer: [], fault: undefined });
});

test('what comes after the last known one is of a newer version, which is no fault', () => {
  const { newer, fault } = judge('0001_a', '0002_b', '0003_c', '0004_d', '0005_e');
  expect(newer.map(({ name }) => name)).toEqual(['0004_d', '0005_e']);
  expect(fault).toBeUndefined();
});

test('another history is refused from its first migration on, with the remedy', () => {
  for (const names of [['0001_x'], ['0001_x', '0002_y'], ['0001_x', '0002_b']]) {
    expect(judge(...names).fault).toMatchObject({
      message: expect.stringMatching(
        `begins with 0001_x, which is no migration of this version \\(${names.length} are applied`,
      ),
      remedy:
        'Roll it back with the build that migrated it (pcache-migrate down --all), then deploy it with this one (pcache-migrate up).',
    });
  }
});

test('what another build applied is refused, and not taken for a newer version', () => {
  const { newer, fault } = judge('0001_a', '0002_x', '0003_y', '0004_z');
  expect(newer).toEqual([]);
  expect(fault).toMatchObject({
    message: expect.stringMatching(
      /0002_x in place 2, where 0002_b belongs.*by another build of pcache-migrate/s,
    ),
    remedy: expect.stringContaining('Use the build that migrated this database (0.2.0)'),
  });
});

test('a gap, another order and a repetition are refused', () => {
  expect(judge('0001_a', '0003_c').fault?.message).toMatch(
    /0003_c in place 2, where 0002_b belongs/,
  );
  expect(judge('0002_b', '0001_a').fault?.message).toMatch(/0002_b in place 1.*0001_a in place 2/s);
  expect(judge('0001_a', '0002_b', '0003_c', '0003_c').fault?.message).toMatch(
    /place 4, where nothing belongs/,
  );
});

test('an edited file is named with both checksums', () => {
  const { fault } = judgeLedger(
    [applied('0001_a'), applied('0002_b', { downChecksum: 'other' })],
    migrations,
  );
  expect(fault).toMatchObject({
    problems: [
      '0002_b.down.sql is not the file that was applied (SHA-256 applied: other, in this package: 0002_b down).',
    ],
    remedy: expect.stringContaining('(0.2.0)'),
  });
});

test.each([
  ['ledger', { record: undefined }],
  ['migrations', { isListed: false }],
])('a migration that only the table %s lacks is named', (table, change) => {
  const { fault } = judgeLedger(
    [applied('0001_a'), { ...applied('0002_b'), ...change }],
    migrations,
  );
  expect(fault?.message).toContain(`0002_b is missing in the table ${table}`);
});

test('pending are those not applied', () => {
  expect(pending([applied('0001_a')], migrations)).toEqual(migrations.slice(1));
});
