import { describe, expect, test } from 'vitest';
import {
  parseSettingsDocument,
  SettingsDocumentError,
  settingsDocument,
} from '../../src/processor/settings-document.js';
import { settingsOf } from './settings/helpers.js';

const processor = {
  name: 'partitioncache_process_queue_app_mycache',
  isDefault: true,
  enabled: true,
  parallel: 5,
  frequencySeconds: 90,
  timeoutSeconds: 60,
  staleAfterSeconds: 3600,
  resultLimit: null,
  defaultBitsize: 1000,
};
const settings = {
  batchSize: 100,
  maxAttempts: 3,
  retryBackoffSeconds: 0,
  logRetentionDays: 1,
  runRetentionDays: 2,
  maxSlots: 20,
};
const document = settingsDocument(settingsOf(), [processor], settings);

function problemsOf(value: unknown): readonly string[] {
  try {
    parseSettingsDocument(typeof value === 'string' ? value : JSON.stringify(value));
  } catch (error) {
    if (error instanceof SettingsDocumentError) return error.problems;
    throw error;
  }
  return [];
}

describe('a document of settings', () => {
  test('is read as it was written, within the report of --json as well', () => {
    expect(parseSettingsDocument(JSON.stringify(document))).toEqual(document);
    expect(problemsOf({ command: 'export', ok: true, exitCode: 0, ...document })).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['nothing', '', 'it is not JSON'],
    ['half of it', JSON.stringify(document).slice(0, 99), 'it is not JSON'],
    ['a list', [], 'not a document of the format'],
    ['null', null, 'not a document of the format'],
    ['something else', { format: 'other' }, 'not a document of the format'],
    ['a later format', { ...document, formatVersion: 2 }, 'its formatVersion is 2'],
    [
      'no format version',
      { ...document, formatVersion: undefined },
      'its formatVersion is undefined',
    ],
    ['no settings', { ...document, settings: undefined }, 'settings is missing'],
    [
      'settings that are a list',
      { ...document, settings: [] },
      'settings must be an object, not []',
    ],
    [
      'processors that are none',
      { ...document, processors: {} },
      'processors must be a list, not {}',
    ],
    [
      'a processor that is none',
      { ...document, processors: [7] },
      'processors[0] must be an object',
    ],
    ['an unknown member', { ...document, secret: 1 }, 'secret is not known to this version'],
    [
      'a forbidden member',
      `{"__proto__": {}, ${JSON.stringify(document).slice(1)}`,
      '__proto__ is not',
    ],
    ...(
      [
        ['parallel', 21, 'a whole number from 1 to 20, not 21'],
        ['parallel', '5', 'a whole number from 1 to 20, not "5"'],
        ['parallel', 2.5, 'not 2.5'],
        ['frequencySeconds', 0, 'from 1 to 2147483647, not 0'],
        ['timeoutSeconds', 1e10, 'not 10000000000'],
        ['enabled', 1, 'true or false, not 1'],
        ['enabled', null, 'true or false, not null'],
        ['resultLimit', -1, 'not -1'],
        ['name', '', 'a name without control characters, not ""'],
        ['name', 'a\u0000b', 'a name without control characters'],
        ['shell', 'rm', 'processors[0].shell is not known to this version'],
      ] as const
    ).map(([key, value, problem]): [string, unknown, string] => [
      `${key} = ${value}`,
      { ...document, processors: [{ ...processor, [key]: value }] },
      problem,
    ]),
    ['a batch too big', { ...document, settings: { ...settings, batchSize: 10001 } }, 'not 10001'],
    [
      'one name twice',
      { ...document, processors: [processor, { ...processor, isDefault: false, enabled: false }] },
      'is there twice',
    ],
    [
      'two default ones',
      { ...document, processors: [processor, { ...processor, name: 'b', enabled: false }] },
      'more than one is the default one',
    ],
    [
      'more slots than allowed',
      { ...document, settings: { ...settings, maxSlots: 4 } },
      'have 5 slots (parallel) together, and settings.maxSlots is 4',
    ],
  ])('is refused: %s', (_, value, problem) => {
    expect(problemsOf(value).join('\n')).toContain(problem);
  });

  test('is refused with all that is wrong', () => {
    const wrong = { ...processor, parallel: 0, timeoutSeconds: 'long' };
    expect(problemsOf({ ...document, processors: [wrong] })).toHaveLength(2);
  });
});
