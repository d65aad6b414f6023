import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/plan/plan.js';
import { differences } from '../../../src/plan/plan-differences.js';
import { canonicalJson, hashOf, isApproved, parseHash } from '../../../src/plan/plan-hash.js';
import { requireNoFurther, requireUnchanged } from '../../../src/plan/require-plan.js';
import { PLAN, WORK, withWork } from './sample-plan.js';

const [MIGRATION] = WORK.migrations;
const [OBJECT] = WORK.objects;
if (MIGRATION === undefined || OBJECT === undefined) throw new Error('the sample is empty');

const unknownJobs: Plan = { ...PLAN, jobs: null, unknown: [{ part: 'jobs', reason: 'hidden' }] };

describe('the hash', () => {
  it('stays, whatever moves by itself or is not done', () => {
    const same: Plan[] = [
      { ...PLAN, stillKept: [{ table: 'queue', rows: null, reason: 'no such table is made' }] },
      { ...PLAN, obstacles: ['a schema is missing'], unchecked: ['link'] },
      withWork({
        migrations: [
          {
            ...MIGRATION,
            locks: (MIGRATION.locks ?? []).map((lock) => ({ ...lock, rows: 9, bytes: 9 })),
          },
        ],
      }),
      withWork({ objects: [{ ...OBJECT, diff: 'shown otherwise', asReleased: null }] }),
      JSON.parse(JSON.stringify(PLAN)),
    ];
    expect(new Set([PLAN, ...same].map((plan) => hashOf(plan)))).toEqual(new Set([hashOf(PLAN)]));
    expect(hashOf(PLAN)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  const moved: [what: string, plan: Plan][] = [
    ['the package', { ...PLAN, packageVersion: '1.2.4' }],
    ['the direction', { ...PLAN, direction: 'down' }],
    ['the transport', { ...PLAN, transport: 'link' }],
    ['a role', { ...PLAN, names: { ...PLAN.names, migrator_role: 'other' } }],
    ['the ledger', withWork({ applied: [] })],
    [
      'a checksum',
      withWork({ applied: [{ name: '0001_ledger', upChecksum: 'ab', downChecksum: 'bb' }] }),
    ],
    ['the database', withWork({ database: 'other' })],
    ['the text of a migration', withWork({ migrations: [{ ...MIGRATION, sql: 'SELECT 1;' }] })],
    ['a lock', withWork({ migrations: [{ ...MIGRATION, locks: [] }] })],
    ['what was measured', withWork({ migrations: [{ ...MIGRATION, locks: null }] })],
    ['a live definition', withWork({ objects: [{ ...OBJECT, live: 'by hand' }] })],
    ['a stream', { ...PLAN, streams: [] }],
    ["an administrator's statement", { ...PLAN, administrator: [] }],
    ['the fragment role', { ...PLAN, fragmentRole: null }],
    ['the link', { ...PLAN, link: 'renewed' }],
    ['a job', { ...PLAN, jobs: [] }],
    ['what is known', unknownJobs],
  ];

  it.each(moved)('moves with %s, and it is said', (_what, plan) => {
    expect(hashOf(plan)).not.toBe(hashOf(PLAN));
    expect(differences(PLAN, plan)).toEqual([expect.any(String)]);
    expect(differences(PLAN, plan)).not.toEqual(['something else']);
  });

  it('says what it does not cover, and holds whatever that is', () => {
    const hash = hashOf(unknownJobs);
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}-without-jobs$/);
    const approved = parseHash(hash);
    if (approved === undefined) throw new Error('not parsed');
    expect(isApproved(PLAN, approved)).toBe(true);
    expect(isApproved({ ...PLAN, jobs: [] }, approved)).toBe(true);
    expect(isApproved({ ...PLAN, fragmentRole: null }, approved)).toBe(false);
    expect(differences(unknownJobs, { ...PLAN, jobs: [] }, ['jobs'])).toEqual([]);
  });

  it('is not met by a plan of which less is known', () => {
    const approved = parseHash(hashOf(PLAN));
    if (approved === undefined) throw new Error('not parsed');
    expect(isApproved(PLAN, approved)).toBe(true);
    expect(isApproved(unknownJobs, approved)).toBe(false);
  });

  it.each([
    'sha256:1234',
    hashOf(PLAN).slice(0, -1),
    hashOf(PLAN).replace('sha256:', ''),
    `${hashOf(PLAN)}-without-everything`,
    `${hashOf(PLAN)}-without-`,
    '',
  ])('is not %s', (text) => {
    expect(parseHash(text)).toBeUndefined();
  });

  it('does not depend on the order of members', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe(
      '{"b":[1,{"c":"x","d":null}]}',
    );
  });
});

describe('under way', () => {
  it("an administrator's statement that was not in the plan is refused", () => {
    const further = [{ database: 'postgres', lines: ['CREATE EXTENSION dblink;'] }];
    expect(() => requireNoFurther(PLAN, PLAN.administrator ?? [])).not.toThrow();
    expect(() => requireNoFurther(PLAN, further)).toThrow(/not approved:\n {2}- CREATE EXTENSION/);
  });

  it('what was unknown may be known, and what was asked of the administrator be done', () => {
    expect(() => requireUnchanged(unknownJobs, { ...PLAN, administrator: [] })).not.toThrow();
    expect(() => requireUnchanged(PLAN, { ...PLAN, jobs: [] })).toThrow(/a_1/);
  });
});
