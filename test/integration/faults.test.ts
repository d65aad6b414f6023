import { escapeIdentifier } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ownName } from '../../src/deployment/own-names.js';
import { EXIT_CODES } from '../../src/errors/exit-codes.js';
import { PcacheError } from '../../src/errors/pcache-error.js';
import { adopt } from '../../src/operations/adopt.js';
import { type DownOptions, down } from '../../src/operations/down.js';
import { changeMode, type ModeReport } from '../../src/operations/mode/change-mode.js';
import { settingsAt } from '../../src/operations/mode/old-place.js';
import { sync } from '../../src/operations/sync.js';
import { up } from '../../src/operations/up.js';
import type { Settings } from '../../src/settings/settings.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { setUp, tablesOf } from '../harness/deployment.js';
import {
  createFaultySite,
  type FaultySite,
  type Injection,
  inject,
  type Rehearsed,
  rehearse,
  type Scenario,
} from '../harness/fault-injection.js';
import { FAULTS, type Fault, type Step } from '../harness/faulty-network.js';
import { makeForeignSetup } from '../harness/foreign-setup.js';
import { migrationBefore } from '../harness/package-migrations.js';
import { seededRandom } from '../harness/random.js';
import { type Started, startShell } from '../harness/shell.js';

// Whatever breaks at whichever statement: the command says what is where, and run again it ends where it would have
// ended without. PCACHE_TEST_EXHAUSTIVE=<n> breaks something at every nth statement, PCACHE_TEST_SEED says from which one
// on (1, at each, takes hours); PCACHE_TEST_EXHAUSTIVE=all breaks everything at each.

const EXHAUSTIVE = process.env.PCACHE_TEST_EXHAUSTIVE ?? '';

/** Without another one the same in each run: a change is not to fail for what an earlier one has broken. */
const SEED = process.env.PCACHE_TEST_SEED === undefined ? 10 : undefined;

const quietly = { waitSeconds: 20, drainSeconds: 20, onWait: () => {}, log: () => {} };
const BOTH = ['work', 'cron'] as const;

const raise = (settings: Settings) => up(settings, { streams: BOTH, ...quietly });

const takeDown = (settings: Settings, options: Partial<DownOptions> = {}) =>
  down(settings, {
    streams: BOTH,
    extent: { all: true },
    confirm: async () => true,
    ...quietly,
    ...options,
  });

/** As it would be in single mode, for which this server would have to restart. */
const inSingleMode = (settings: Settings) =>
  settingsAt(settings, { database: settings.work.database, transport: 'direct' });

/** The place that is left could not be reached: the report says so, and what is there goes when the command is given again. */
function leavesSome(report: unknown): boolean {
  const { done, left } = report as ModeReport;
  return left.length > 0 || done.some((what) => /which cannot be reached$/.test(what));
}

const goTo = (settings: Settings) =>
  changeMode(settings, { mode: settings.mode, confirm: async () => true, ...quietly });

async function deployToLeave(it_: FaultySite): Promise<void> {
  const { cron, work } = it_.settings;
  await it_.admin.work.query(
    `GRANT CREATE ON DATABASE ${escapeIdentifier(work.database)} TO ${escapeIdentifier(cron.user)}`,
  );
  await deploy(it_);
}

const deploy = ({ settings }: FaultySite) =>
  setUp(settings, { enable: true, parallel: 2, frequencySeconds: 3600 });

/** A first release, of which both streams lack their last migrations. */
async function deployEarlier({ settings }: FaultySite): Promise<void> {
  const earlier = {
    work: await migrationBefore('work', 'failures'),
    cron: await migrationBefore('cron', 'prune_job_runs'),
  };
  await up(settings, { streams: ['work'], to: earlier.work, ...quietly });
  await up(settings, { streams: ['cron'], to: earlier.cron, ...quietly });
}

const scenarios: Record<string, Scenario> = {
  'up on empty databases': { prepare: async () => {}, run: raise },
  'up from an earlier release': { prepare: deployEarlier, run: raise },
  'down --all': { prepare: deploy, run: takeDown },
  'down of the last release': {
    prepare: async (it_) => {
      await deployEarlier(it_);
      await raise(it_.settings);
    },
    run: (settings) => takeDown(settings, { extent: { lastRelease: true } }),
    again: async (settings, error) => {
      // What is done all the same, such as without having seen where it is, is not done twice: that is one release more.
      if (error === undefined) return;
      const remedy = error instanceof PcacheError ? error.remedy : undefined;
      const said = /pcache-migrate down --to (\d+)$/.exec(remedy ?? '')?.[1];
      const extent =
        said === undefined ? { lastRelease: true as const } : { toRelease: Number(said) };
      await takeDown(settings, { extent });
    },
  },
  'down of the cron stream': {
    prepare: deploy,
    run: (settings) => takeDown(settings, { streams: ['cron'] }),
  },
  'mode, up to the restart': {
    prepare: deployToLeave,
    run: (settings) => goTo(inSingleMode(settings)),
    isPartly: leavesSome,
  },
  // Of this, mode.test.ts tries a few.
  ...(EXHAUSTIVE !== '' && {
    'mode, back from there': {
      prepare: async (it_) => {
        await deployToLeave(it_);
        await goTo(inSingleMode(it_.settings));
      },
      run: goTo,
      isPartly: leavesSome,
    },
  }),
  sync: {
    prepare: async (it_) => {
      await deploy(it_);
      const { processorConfig } = tablesOf(it_.settings);
      await it_.admin.work.query(`UPDATE ${processorConfig} SET max_parallel_jobs = 4`);
    },
    run: (settings) => sync(settings, quietly),
  },
};

/** For the time that one has who breaks every statement; adopt-foreign.test.ts and moved.test.ts break a few. */
const scenariosOfAdopt: Record<string, Scenario> = {
  "adopt of the tool's set-up": {
    prepare: ({ site, settings }) =>
      makeForeignSetup(site.cluster, settings, {
        owner: site.migrator.name,
        jobsOf: site.cronRole.name,
        parallel: 2,
        schedule: '0 0 1 1 *',
        config: { frequency_seconds: 3600 },
      }),
    run: takeIn,
  },
  'adopt of a database that moved': {
    prepare: async (it_) => {
      await deploy(it_);
      await pretendMoved(it_);
    },
    run: takeIn,
  },
};

function takeIn(settings: Settings) {
  return adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
}

/** As restored without privileges, on a server that has nothing of it where pg_cron is. */
async function pretendMoved({ settings, site, admin }: FaultySite): Promise<void> {
  await admin.cron.query(
    `SELECT cron.unschedule(jobid) FROM cron.job WHERE username = '${site.cronRole.name}'`,
  );
  await admin.cron.query(`DROP SCHEMA ${escapeIdentifier(settings.cronSchema)} CASCADE`);
  await admin.work.query(
    `UPDATE ${ownName(settings, 'deployment')} SET work_database = 'gone', database_oid = 1;
     REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${site.app.name}, ${site.cronRole.name};
     REVOKE ALL ON SCHEMA ${settings.schema} FROM ${site.app.name}, ${site.cronRole.name}`,
  );
}

/** What a step is, so that each kind is tried. */
function kindOf(step: Step, steps: readonly Step[]): string {
  const before = steps.filter(
    ({ number, connection }) => number < step.number && connection === step.connection,
  );
  const side = step.user.replace(/_.*/, '');
  const text = step.text.replace(/\s+/g, ' ');
  const special = [
    ...[/^connect$/, /set_config\('search_path'/, /^BEGIN/, /^(COMMIT|ROLLBACK)/],
    ...[/advisory_lock/, /advisory_unlock/, /\.release\b/, /record_cron_side/, /apply_jobs/],
    ...[
      /mark_synced/,
      /desired_jobs/,
      /cron_link/,
      /"hold|\.hold\b/,
      /DROP SCHEMA/,
      /recorded_object/,
    ],
  ].find((pattern) => pattern.test(text));
  if (special) return `${side} ${special}`;
  const isIn = before.findLast(({ text: one }) => /^(BEGIN|COMMIT|ROLLBACK)/.test(one));
  return `${side} ${isIn?.text === 'BEGIN' ? 'in a transaction' : 'outside of one'}`;
}

/** Some kinds of steps with faults that vary, and one that decides something with its answer lost. */
function sample(steps: readonly Step[], most: number): Injection[] {
  const random = seededRandom(SEED);
  console.log(`PCACHE_TEST_SEED=${random.seed} repeats these faults`);
  const kinds = new Map<string, Step[]>();
  for (const step of steps) {
    const kind = kindOf(step, steps);
    kinds.set(kind, [...(kinds.get(kind) ?? []), step]);
  }
  const one = [...kinds.values()].map((those) => ({
    fault: random.pick(FAULTS),
    at: random.pick(those).number,
  }));
  while (one.length > most) one.splice(random.integer(0, one.length - 1), 1);
  const decisive = steps
    .filter(({ text }) => /^COMMIT|apply_jobs"\(|mark_synced"\(|UPDATE .*"release"/s.test(text))
    .slice(-5);
  return [
    ...one,
    { fault: random.pick<Fault>(['lose', 'cut-after']), at: random.pick(decisive).number },
  ];
}

function everywhere(steps: readonly Step[]): Injection[] {
  if (EXHAUSTIVE === 'all') {
    return steps.flatMap(({ number }) => FAULTS.map((fault) => ({ fault, at: number })));
  }
  const every = Number(EXHAUSTIVE);
  const first = seededRandom(SEED).seed % every;
  const chosen = steps.filter((_, index) => index % every === first);
  return chosen.map(({ number }, index) => ({
    fault: FAULTS[index % FAULTS.length] as Fault,
    at: number,
  }));
}

describe.each(Object.entries({ ...scenarios, ...(EXHAUSTIVE === '' ? {} : scenariosOfAdopt) }))(
  '%s',
  (_, scenario) => {
    let it_: FaultySite;
    let rehearsed: Rehearsed;

    beforeAll(async () => {
      it_ = await createFaultySite({}, { PG_QUEUE_TABLE_PREFIX: 'broken' });
      rehearsed = await rehearse(it_, scenario);
    });

    afterAll(() => it_.close());

    it('survives what breaks at any statement', { timeout: 7_200_000 }, async () => {
      const { steps } = rehearsed;
      const injections = EXHAUSTIVE === '' ? sample(steps, 3) : everywhere(steps);
      const faults: string[] = [];
      const start = performance.now();
      for (const [index, injection] of injections.entries()) {
        const found = await inject(rehearsed, injection);
        faults.push(...found);
        if (EXHAUSTIVE) for (const one of found) console.log(one);
        if (index % 100 === 99) console.log(`${index + 1} of ${injections.length} statements`);
      }
      console.log(
        `${injections.length} faults at ${steps.length} statements in ${Math.round((performance.now() - start) / 1000)} s, ${faults.length} found`,
      );
      expect(faults).toEqual([]);
    });
  },
);

interface Killed {
  readonly words: string;
  readonly environment?: (it_: FaultySite) => NodeJS.ProcessEnv;
  /** Run without a process, it prepares the same. */
  readonly scenario: Scenario;
}

const killedCommands: readonly Killed[] = [
  { words: 'up', scenario: required(scenarios, 'up on empty databases') },
  { words: 'down --all', scenario: required(scenarios, 'down --all') },
  { words: 'sync', scenario: required(scenarios, 'sync') },
  {
    words: 'mode single --yes',
    environment: ({ settings }) => ({ PG_CRON_DATABASE: settings.work.database }),
    scenario: required(scenarios, 'mode, up to the restart'),
  },
  { words: 'adopt --yes', scenario: required(scenariosOfAdopt, 'adopt of a database that moved') },
];

function required(from: Record<string, Scenario>, name: string): Scenario {
  const found = from[name];
  if (found === undefined) throw new Error(`there is no scenario "${name}"`);
  return found;
}

/** Exit codes of a command that has come as far as it can. */
const ENDED: readonly (number | null)[] = [EXIT_CODES.done, EXIT_CODES.pending];

describe('in a process', () => {
  let cli: BuiltCli;

  beforeAll(async () => {
    cli = await buildCli();
  });

  afterAll(() => cli.remove());

  // What the others leave behind is what 'cut' leaves behind of them above.
  it.each(
    EXHAUSTIVE === ''
      ? killedCommands.filter(({ words }) => /^(up|adopt)/.test(words))
      : killedCommands,
  )(
    '$words may be killed at any statement',
    {
      timeout: 7_200_000,
    },
    async ({ words, environment, scenario }) => {
      const it_ = await createFaultySite({}, { PG_QUEUE_TABLE_PREFIX: 'broken' });
      onTestFinished(() => it_.close());
      let running: Started | undefined;
      const run = async () => {
        const started = startShell(`exec $NODE $MAIN ${words}`, {
          cwd: cli.folder,
          env: {
            MAIN: cli.main,
            NODE: process.execPath,
            ...it_.environment,
            ...environment?.(it_),
          },
        });
        running = started;
        const { code, stderr } = await started.ended;
        if (!ENDED.includes(code)) throw new Error(`it ended with ${code}: ${stderr}`);
      };
      const killed = async () => {
        running?.child.kill('SIGKILL');
        await running?.ended;
      };
      const { prepare } = scenario;
      const rehearsed = await rehearse(it_, { prepare, run });
      const { steps } = rehearsed;
      const random = seededRandom(SEED);
      console.log(`PCACHE_TEST_SEED=${random.seed} kills at the same statements`);
      const committed = steps.filter(({ text }) => text === 'COMMIT').at(-2)?.number ?? 0;
      const places =
        EXHAUSTIVE === ''
          ? [random.integer(committed + 1, steps.length)]
          : Array.from({ length: 30 }, () => random.integer(1, steps.length)).concat(
              steps.slice(-12).map(({ number }) => number),
            );
      const faults: string[] = [];
      for (const at of places) {
        faults.push(...(await inject(rehearsed, { fault: 'cut', at, killed })));
      }
      console.log(`killed ${places.length} times, ${faults.length} faults`);
      expect(faults).toEqual([]);
    },
  );
});
