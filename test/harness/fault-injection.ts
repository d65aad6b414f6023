import type pg from 'pg';
import { lockId } from '../../src/database/advisory-lock.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { PcacheError } from '../../src/errors/pcache-error.js';
import type { StreamName } from '../../src/migrations/streams.js';
import { AdoptionStoppedError } from '../../src/operations/adopt-foreign.js';
import { CronStreamError } from '../../src/operations/cron-stream-error.js';
import { ModeUnfinishedError } from '../../src/operations/mode/errors.js';
import { StoppedError } from '../../src/operations/stopped-error.js';
import type { Settings } from '../../src/settings/settings.js';
import {
  type CompleteState,
  differences,
  fingerprint,
  readCompleteState,
} from './complete-state.js';
import { adminClient } from './databases.js';
import { createSite, type SiteOptions, type TestSite } from './deployment.js';
import { type Fault, type FaultyNetwork, openFaultyNetwork, type Step } from './faulty-network.js';
import { waitFor } from './wait-for.js';
import { wipeSite } from './wipe-site.js';

/** A site, with a way to its server on which things go wrong. */
export interface FaultySite {
  readonly site: TestSite;
  /** Directly. */
  readonly settings: Settings;
  /** Over the network. */
  readonly faulty: Settings;
  /** Of a process that goes over the network. */
  readonly environment: NodeJS.ProcessEnv;
  readonly network: FaultyNetwork;
  readonly admin: { readonly work: pg.Client; readonly cron: pg.Client };
  close(): Promise<void>;
}

export async function createFaultySite(
  options: SiteOptions = {},
  changes: NodeJS.ProcessEnv = {},
): Promise<FaultySite> {
  const site = await createSite(options);
  const settings = site.settings(changes);
  const work = await adminClient(site.database);
  const cron = await adminClient(settings.cron.database);
  const kills: Promise<void>[] = [];
  const kill = async (pid: number) => {
    await cron.query('SELECT pg_terminate_backend($1)', [pid]);
    await untilGone(cron, 'pid = $1', pid);
  };
  const network = await openFaultyNetwork(site.cluster, {
    kill: (pid) => {
      const killing = kill(pid);
      kills.push(killing);
      return killing;
    },
  });
  const overNetwork = { ...changes, DB_PORT: String(network.port), PGSSLMODE: 'disable' };
  return {
    site,
    settings,
    faulty: site.settings(overNetwork),
    environment: site.environment(overNetwork),
    network,
    admin: { work, cron },
    close: async () => {
      // The command may have ended before it was seen that its session has.
      await Promise.all(kills);
      await network.close();
      await work.end();
      await cron.end();
    },
  };
}

async function untilGone(admin: pg.Client, condition: string, value: unknown): Promise<void> {
  await waitFor(
    'the sessions to be gone',
    async () => {
      const sql = `SELECT pid, state, query FROM pg_stat_activity WHERE application_name = 'pcache-migrate' AND ${condition}`;
      return (await admin.query(sql, [value])).rows;
    },
    { deadlineMs: 20_000, until: (rows) => rows.length === 0 },
  );
}

/** A command, with the state that it starts from. */
export interface Scenario {
  /** From nothing deployed. */
  readonly prepare: (site: FaultySite) => Promise<unknown>;
  readonly run: (settings: Settings) => Promise<unknown>;
  /** Whether what `run` returned says that something is left undone. */
  readonly isPartly?: (report: unknown) => boolean;
  /** What the error says to run then; `run`, if left out. */
  readonly again?: (settings: Settings, error: Error | undefined) => Promise<unknown>;
}

/** A scenario that has run once without a fault. */
export interface Rehearsed {
  readonly it_: FaultySite;
  readonly scenario: Scenario;
  readonly start: CompleteState;
  readonly end: CompleteState;
  /** What it sends without a fault. */
  readonly steps: readonly Step[];
  /** From which states, left behind by a fault, the same command was seen to end as it has to. */
  readonly continuedFrom: Set<string>;
}

export async function rehearse(it_: FaultySite, scenario: Scenario): Promise<Rehearsed> {
  await scenario.prepare(it_);
  const start = await stateOf(it_);
  it_.network.begin();
  await scenario.run(it_.faulty);
  const steps = [...it_.network.steps()];
  const end = await stateOf(it_);
  await startOver(it_, scenario);
  const again = differences(start, await stateOf(it_));
  if (again.length > 0) throw new Error(`the start cannot be had again: ${again.join('\n')}`);
  return { it_, scenario, start, end, steps, continuedFrom: new Set() };
}

async function startOver(it_: FaultySite, scenario: Scenario): Promise<void> {
  await wipeSite(it_);
  await scenario.prepare(it_);
}

/** When no session of a command is left. */
async function stateOf(it_: FaultySite): Promise<CompleteState> {
  const { site, settings, admin } = it_;
  const roles = [site.migrator.name, site.cronRole.name];
  await untilGone(admin.cron, 'usename = ANY ($1)', roles);
  const print = await fingerprint(settings, admin);
  const last = lastSeen.get(it_);
  if (last?.print === print) return last.state;
  const state = await readCompleteState(site, settings, admin);
  lastSeen.set(it_, { print, state });
  return state;
}

const lastSeen = new WeakMap<FaultySite, { print: string; state: CompleteState }>();

export interface Injection {
  readonly fault: Fault;
  /** The number of the step. */
  readonly at: number;
  /** Of a client that is killed: nothing that it says is looked at. */
  readonly killed?: () => Promise<void>;
}

const LONGEST_RUN_MS = 45_000;

/**
 * Runs the command with the fault; returns what was not as it has to be. The start is there again afterwards. A command
 * that waits for something sends more statements at one time than at another: one that came to its end before the
 * fault is given the fault as far from its end as it was to be.
 */
export async function inject(
  rehearsed: Rehearsed,
  injection: Injection,
  attempts = 3,
): Promise<string[]> {
  const { it_, scenario, start, end, continuedFrom, steps } = rehearsed;
  const { fault, at, killed } = injection;
  const { network } = it_;
  const { run, again } = scenario;
  network.begin(fault, ({ number }) => number === at, killed);
  const { error, report } = await outcomeOf(run(it_.faulty));
  const step = network.struck();
  const fewer = steps.length - network.steps().length;
  if (step === undefined && error === undefined && fewer > 0 && attempts > 1) {
    await startOver(it_, scenario);
    return inject(rehearsed, { ...injection, at: Math.max(1, at - fewer) }, attempts - 1);
  }
  const faults: string[] = step === undefined ? ['the step was not reached'] : [];
  const found = await stateOf(it_);
  const changed = differences(start, found);
  if (error === undefined && !scenario.isPartly?.(report))
    faults.push(...differences(end, found).map((one) => `done, but ${one}`));
  if (error !== undefined && !killed)
    faults.push(...(await falseClaims(it_, fault, error, changed)));
  const isOver = /do not run/.test(remedyOf(error) ?? '');
  if (changed.length > 0) {
    const left = JSON.stringify([found, await releasesOf(it_), again && remedyOf(error)]);
    if (!continuedFrom.has(left)) {
      network.begin();
      const second = isOver
        ? undefined
        : (await outcomeOf(again ? again(it_.faulty, error) : run(it_.faulty))).error;
      const wrong = [
        ...(second ? [`again it fails: ${second.message}`] : []),
        ...differences(end, await stateOf(it_)).map((one) => `again: ${one}`),
        ...unended(await releasesOf(it_)),
      ];
      if (wrong.length === 0 && !isOver) continuedFrom.add(left);
      faults.push(...wrong);
    }
    await startOver(it_, scenario);
    const back = differences(start, await stateOf(it_));
    if (back.length > 0) throw new Error(`the start cannot be had again: ${back.join('\n')}`);
  }
  const where = `${fault} at ${at} (${step?.user} ${step?.connection}: ${step?.text.slice(0, 80)})`;
  return faults.map(
    (one) => `${where}: ${one}${error ? `\n    ${error.name}: ${error.message}` : ''}`,
  );
}

function remedyOf(error: Error | undefined): string | undefined {
  return error instanceof PcacheError ? error.remedy : undefined;
}

interface Outcome {
  readonly error?: Error;
  readonly report?: unknown;
}

async function outcomeOf(run: Promise<unknown>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ error: new Error('it hangs') }), LONGEST_RUN_MS);
  });
  const outcome = await Promise.race([
    run.then(
      (report): Outcome => ({ report }),
      (error: Error): Outcome => ({ error }),
    ),
    tooLong,
  ]);
  clearTimeout(timer);
  return outcome;
}

/** What the error says that is not so, or does not say. */
async function falseClaims(
  it_: FaultySite,
  fault: Fault,
  error: Error,
  changed: readonly string[],
): Promise<string[]> {
  const faults: string[] = [];
  if (!(error instanceof PcacheError)) faults.push('a raw error');
  if (/nothing (else )?(was|has) changed/i.test(error.message) && changed.length > 0) {
    faults.push(`it says that nothing was changed, but: ${changed.join(', ')}`);
  }
  if (error instanceof StoppedError) {
    for (const { stream, direction, migrations, done } of error.streams) {
      if (done === undefined) {
        if (!fault.startsWith('cut')) faults.push(`it could have looked at ${stream}`);
        continue;
      }
      const applied = await appliedIn(it_, stream);
      const truly = migrations.filter((name) => applied.has(name) === (direction === 'up'));
      if (truly.join() !== done.join()) faults.push(`it is wrong about ${stream}`);
    }
  } else if (error instanceof CronStreamError) {
    const applied = await appliedIn(it_, 'work');
    if (!error.work.migrations.every((name) => applied.has(name))) faults.push('work is not up');
  } else if (error instanceof ModeUnfinishedError) {
    const said = /Processing is (not )?held/.exec(error.message);
    const { rows } = await it_.admin.work.query(
      `SELECT FROM "${it_.settings.schema}".hold WHERE holder = 'mode'`,
    );
    if (said && (said[1] === undefined) !== (rows.length === 1)) {
      faults.push('it is wrong about whether processing is held');
    }
    if (!said && !fault.startsWith('cut')) faults.push('it could have looked what is held');
  } else if (changed.length > 0 && !saysHowToGoOn(error)) {
    faults.push(`it does not say what is where, and changed is: ${changed.join(', ')}`);
  }
  return faults;
}

/** Of a set-up that is not ours it need not say more. */
function saysHowToGoOn(error: Error): boolean {
  return error instanceof AdoptionStoppedError;
}

async function appliedIn(
  { admin, settings }: FaultySite,
  stream: StreamName,
): Promise<ReadonlySet<string>> {
  const { schema } = streamSites(settings)[stream];
  const table = `"${schema}".migrations`;
  const { rows: there } = await admin[stream].query('SELECT to_regclass($1) AS it', [table]);
  if (there[0].it === null) return new Set();
  const { rows } = await admin[stream].query(`SELECT name FROM ${table}`);
  return new Set(rows.map(({ name }) => name));
}

interface RecordedRelease {
  readonly outcome: string;
  readonly isUndone: boolean;
  readonly error: string | null;
}

/** In the order of their numbers, which are left out: they differ from run to run. */
async function releasesOf({ admin, settings }: FaultySite): Promise<RecordedRelease[]> {
  const table = `"${settings.schema}".release`;
  const { rows: there } = await admin.work.query('SELECT to_regclass($1) AS it', [table]);
  if (there[0].it === null) return [];
  const { rows } = await admin.work.query(
    `SELECT outcome, undone_at IS NOT NULL AS "isUndone", error FROM ${table} ORDER BY number`,
  );
  return rows;
}

/** After a command that came through. */
function unended(releases: readonly RecordedRelease[]): string[] {
  return releases
    .filter(
      ({ outcome, isUndone }, index) =>
        outcome === 'unfinished' ||
        (outcome === 'failed' && !isUndone && index === releases.length - 1),
    )
    .map(({ outcome, error }) => `a release is ${outcome}: ${error}`);
}

/** Whether nobody holds the lock of a stream. */
export async function lockIsFree({ settings, admin }: FaultySite, stream: StreamName) {
  const id = String(lockId(streamSites(settings)[stream].lock));
  const { rows } = await admin[stream].query(
    'SELECT pg_try_advisory_lock($1) AND pg_advisory_unlock($1) AS free',
    [id],
  );
  return rows[0].free;
}
