import { expect, test } from 'vitest';
import { sameConfiguration } from '../../../src/cli/same-configuration.js';

const commands = ['up', 'processor retry', 'verify'];
const { text, document } = sameConfiguration('pcache-migrate', commands, "prod's.env");
const given = "pcache-migrate --env-file 'prod'\\''s.env'";

test('a command line keeps the --env-file of the user, and a sentence stays one', () => {
  expect(text('Run: pcache-migrate verify --fix. Then pcache-migrate processor retry.')).toBe(
    `Run: ${given} verify --fix. Then ${given} processor retry.`,
  );
  for (const sentence of ['pcache-migrate 0.1.0', 'another run of pcache-migrate', 'upcache up']) {
    expect(text(sentence)).toBe(sentence);
  }
});

test('in a document, only remedies do', () => {
  const comment = 'pcache-migrate up replaces it';
  expect(
    document({
      found: comment,
      error: {
        remedy: 'pcache-migrate up',
        checks: [{ remedy: { kind: 'text', lines: ['Then pcache-migrate up.'] } }, {}],
      },
    }),
  ).toEqual({
    found: comment,
    error: {
      remedy: `${given} up`,
      checks: [{ remedy: { kind: 'text', lines: [`Then ${given} up.`] } }, {}],
    },
  });
});

test('without one, nothing is changed', () => {
  const plain = sameConfiguration('pcache-migrate', commands, undefined);
  expect(plain.text('pcache-migrate up')).toBe('pcache-migrate up');
});
