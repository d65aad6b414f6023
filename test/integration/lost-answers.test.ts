import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { adopt } from '../../src/operations/adopt.js';
import { down } from '../../src/operations/down.js';
import { verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { setUp } from '../harness/deployment.js';
import { createFaultySite, type FaultySite } from '../harness/fault-injection.js';

// The server's last words on a connection look like an answer to what was asked. They are none: what was asked is not
// known, and a command that took it for "may not be seen" would say that there is nothing to do.

let it_: FaultySite;

const quietly = { waitSeconds: 20, onWait: () => {}, log: () => {} };

beforeAll(async () => {
  it_ = await createFaultySite();
  await setUp(it_.settings);
  await it_.admin.work.query(
    "UPDATE partitioncache.deployment SET work_database = 'gone', database_oid = 1",
  );
});

afterAll(() => it_.close());

const commands: Record<string, (settings: Settings) => Promise<unknown>> = {
  adopt: (settings) => adopt(settings, { ...quietly, dryRun: true, confirm: async () => true }),
  verify: (settings) => verify(settings),
  doctor: (settings) => runDoctor(settings, { streams: ['work', 'cron'] }),
  'down --all': (settings) =>
    down(settings, {
      ...quietly,
      streams: ['work', 'cron'],
      extent: { all: true },
      drainSeconds: 5,
      confirm: async () => true,
    }),
};

describe.each(Object.entries(commands))('%s', (_, run) => {
  it('says that the connection was lost where the server ended it', async () => {
    it_.network.begin('kill', ({ text }) => text.includes('FROM pg_catalog.pg_control_system'));
    await expect(run(it_.faulty)).rejects.toThrow('lost the connection');
    expect(it_.network.struck()).toBeDefined();
  });
});
