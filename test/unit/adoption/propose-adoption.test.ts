import { expect, it } from 'vitest';
import type { ForeignFunction, ForeignSetup } from '../../../src/adoption/foreign-setup.js';
import { proposeAdoption } from '../../../src/adoption/propose-adoption.js';
import { settingsOf } from '../settings/helpers.js';

const settings = settingsOf({ DB_NAME: 'shop' });

const functionNamed = (signature: string): ForeignFunction => ({
  signature,
  kind: 'FUNCTION',
  owner: 'migrator',
  isOurs: true,
  dependents: [],
});

const dropped = Array.from({ length: 30 }, (_, i) => `public.partitioncache_${i}(text, integer)`);
const inCopy = ['public.partitioncache_sync_config()', 'public."odd\nname"()'];

const setup: ForeignSetup = {
  work: {
    tables: [],
    caches: [],
    functions: dropped.map(functionNamed),
    unknownFunctions: [],
    neighbours: [],
    config: [],
    eviction: [],
    aside: { exists: false, stranger: undefined, mayUse: true, taken: [] },
    kept: [],
  },
  isDeployed: false,
  stray: [],
  isUnfinished: false,
  cron: {
    jobs: [],
    jobsUnknown: undefined,
    seesAllJobs: true,
    copy: {
      schema: 'public',
      table: 'config',
      owner: 'cron',
      isOurs: true,
      triggers: [],
      rows: [],
      otherRows: 0,
      functions: inCopy.map(functionNamed),
    },
    copyIgnored: undefined,
    copyUnread: undefined,
  },
};

it('names every function that goes, of both databases', () => {
  const said = proposeAdoption(setup, settings).steps;
  const work = said.find(({ what }) => what.startsWith('drop or replace'));
  expect(work?.database).toBe('shop');
  expect(work?.what.split(/: /)[1]?.split(/, (?=public)/)).toEqual(dropped);
  const cron = said.find(({ what }) => what.startsWith('drop "public"."config"'));
  expect(cron).toEqual({
    database: 'postgres',
    what: String.raw`drop "public"."config", with its trigger and 2 functions: public.partitioncache_sync_config(), public."odd\nname"()`,
  });
});
