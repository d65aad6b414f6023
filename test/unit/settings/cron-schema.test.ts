import { expect, test } from 'vitest';
import { cronSchemaName } from '../../../src/settings/cron-schema.js';

test('the schema, then the database', () => {
  expect(cronSchemaName('partitioncache', 'app')).toBe('partitioncache_app');
});

test('63 bytes are kept as they are, 64 get a readable head and a hash', () => {
  const longest = 'd'.repeat(63 - 'partitioncache_'.length);
  expect(cronSchemaName('partitioncache', longest)).toBe(`partitioncache_${longest}`);
  expect(cronSchemaName('partitioncache', `${longest}d`)).toMatch(
    /^partitioncache_d{39}_[0-9a-f]{8}$/,
  );
});

test.each([
  ['a', 'd'.repeat(63)],
  ['s'.repeat(63), 'd'],
  ['s'.repeat(63), 'd'.repeat(63)],
  ['ab', 'ä'.repeat(31)],
  ['a', 'ä'.repeat(31)],
  ['a', '漢'.repeat(21)],
  ['ab', '漢'.repeat(21)],
  ['a', '😀'.repeat(15)],
])('%s and %s fit, without half a character', (schema, database) => {
  const name = cronSchemaName(schema, database);
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  expect(Buffer.byteLength(name)).toBeGreaterThan(58);
  expect(name).not.toContain('\uFFFD');
  expect(`${schema}_${database}`.startsWith(name.replace(/_[0-9a-f]{8}$/, ''))).toBe(true);
});

test('long names that differ only at the end stay different', () => {
  const head = 'd'.repeat(62);
  const names = ['1', '2', '3'].map((tail) => cronSchemaName('partitioncache', head + tail));
  expect(new Set(names).size).toBe(3);
  const schemas = ['1', '2'].map((tail) => cronSchemaName(`${'s'.repeat(62)}${tail}`, 'd'));
  expect(new Set(schemas).size).toBe(2);
});
