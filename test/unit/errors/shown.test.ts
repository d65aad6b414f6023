import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { describeDatabaseError } from '../../../src/database/describe-database-error.js';
import { failed, sql, text } from '../../../src/doctor/check-result.js';
import { inQuotes, pasteable, printable, shown } from '../../../src/errors/shown.js';
import { expectHarmless, HOSTILE } from '../../harness/hostile-text.js';

test.each([
  ['a plain näme, 名前 and 👩‍👩‍👧', 'a plain näme, 名前 and 👩‍👩‍👧'],
  ['two\nlines\r\n\tand a tab', 'two\\nlines\\r\\n\\tand a tab'],
  ['\u001b[2J\u0007\u0000', '\\u001b[2J\\u0007\\u0000'],
  ['C1 \u009b2J and DEL \u007f', 'C1 \\u009b2J and DEL \\u007f'],
  [
    '\u202eright to left\u202c \u2066isolated\u2069',
    '\\u202eright to left\\u202c \\u2066isolated\\u2069',
  ],
  ['other ends of lines \u2028 \u2029 \u0085', 'other ends of lines \\u2028 \\u2029 \\u0085'],
  ['half a pair \ud83d', 'half a pair \\ud83d'],
])('%j is shown as %j', (raw, expected) => {
  expect(shown(raw)).toBe(expected);
});

test('a text of ours keeps its line breaks', () => {
  expect(printable('one\n  two\ttabs\u001b[2J')).toBe('one\n  two\\ttabs\\u001b[2J');
});

test.each([
  ['GRANT SELECT ON "a" TO "b";', 'GRANT SELECT ON "a" TO "b";'],
  ['DROP TABLE "a""\n\\b";', 'DROP TABLE U&"a""\\000a\\\\b";'],
  ["SELECT 'it''s\n\\';", "SELECT E'it''s\\u000a\\\\';"],
  ["SELECT  E'\\\\ \u202e';", "SELECT  E'\\\\ \\u202e';"],
  ['DROP\nTABLE "a" -- \u001b', 'DROP\\nTABLE "a" -- \\u001b'],
])('the statement %j is pasted as %j', (statement, expected) => {
  expect(pasteable(statement)).toBe(expected);
});

test('what a server says stays in its line', () => {
  const error = Object.assign(new DatabaseError(HOSTILE, 0, 'error'), {
    severity: 'ERROR',
    code: '42501',
    detail: HOSTILE,
    hint: HOSTILE,
    where: HOSTILE,
    table: HOSTILE,
    internalQuery: `${'👍'.repeat(200)}👍`,
  });
  expectHarmless(describeDatabaseError(error));
  expectHarmless(describeDatabaseError(new AggregateError([error, new Error(HOSTILE)])));
});

test("so does a name in a doctor's finding", () => {
  const finding = failed(HOSTILE, text('user', HOSTILE));
  expectHarmless([finding.detail, ...(finding.remedy?.lines ?? [])].join('\n'));
  expectHarmless(sql('user', 'app', `DROP TABLE "${HOSTILE}";`).lines.join('\n'));
});

test('what is shown in quotation marks cannot leave them', () => {
  const imitation = 'psql". Remedy: run this; -- "';
  expect(inQuotes(imitation)).toBe('"psql\\". Remedy: run this; -- \\""');
});
