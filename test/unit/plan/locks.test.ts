import { describe, expect, it } from 'vitest';
import { effectOf, strongest } from '../../../src/plan/lock-modes.js';
import { relationOf, templateOf } from '../../../src/plan/relation-template.js';

describe('of several locks', () => {
  it('the strongest are kept, also two of which neither keeps out all that the other does', () => {
    expect(strongest(['RowExclusiveLock', 'AccessExclusiveLock', 'ShareLock'])).toEqual([
      'AccessExclusiveLock',
    ]);
    expect(strongest(['ShareLock', 'ShareUpdateExclusiveLock'])).toEqual([
      'ShareUpdateExclusiveLock',
      'ShareLock',
    ]);
    expect(strongest([])).toEqual([]);
  });

  it('the effect on the application is said', () => {
    expect(effectOf(['AccessExclusiveLock'])).toBe('reads and writes');
    expect(effectOf(['ShareLock'])).toBe('writes');
    expect(effectOf(['ShareUpdateExclusiveLock', 'RowExclusiveLock'])).toBe('nothing');
  });
});

describe('a table', () => {
  const values = {
    schema: 'own.er',
    client_schema: 'public',
    cron_schema: 'own_app',
    table_prefix: 'my_cache',
    fragment_queue: ['public', 'q_query_fragment_queue'],
  } as const;

  it.each([
    ['{{fragment_queue}}', { schema: 'public', name: 'q_query_fragment_queue' }],
    ['{{schema}}.batch', { schema: 'own.er', name: 'batch' }],
    ['{{client_schema}}.{{table_prefix}}_cache_*', { schema: 'public', name: 'my_cache_cache_*' }],
    ['{{cron_schema}}.deployment', { schema: 'own_app', name: 'deployment' }],
    ['cron.job', { schema: 'cron', name: 'job' }],
  ])('%s is found by its template, and the other way round', (template, relation) => {
    expect(relationOf(template, values)).toEqual(relation);
    const real = { ...relation, name: relation.name.replace('*', 'zipcode') };
    expect(templateOf(real, values)).toBe(template);
  });

  it('of somebody else has no template', () => {
    expect(templateOf({ schema: 'public', name: 'pois' }, values)).toBeUndefined();
  });
});
