import { ownDataDropped } from '../deployment/own-data.js';
import { readStreamState, type StreamPlan, type StreamState } from '../deployment/stream-plan.js';
import type { ReachedDatabases } from '../deployment/with-databases.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import type { DroppedTables } from './data-at-stake.js';
import type { RollbackStep } from './rollback-plan.js';

/** Of the streams whose database can be reached. */
export async function readStates(
  { work, cron }: ReachedDatabases,
  settings: Settings,
): Promise<StreamState[]> {
  return [
    ...(cron ? [await readStreamState(cron, settings, 'cron')] : []),
    await readStreamState(work, settings, 'work'),
  ];
}

export function planOf<P extends StreamPlan>(states: readonly P[], stream: StreamName): P {
  const state = states.find((candidate) => candidate.stream === stream);
  if (state === undefined) throw new Error(`no plan of stream ${stream}`);
  return state;
}

/** What is rolled back of the stream. */
export function namesOf(steps: readonly RollbackStep[], stream: StreamName): readonly string[] {
  return steps.find((step) => step.stream === stream)?.migrations ?? [];
}

/** How many migrations of the stream stay. */
export function remaining(
  states: readonly StreamPlan[],
  steps: readonly RollbackStep[],
  stream: StreamName,
): number {
  return planOf(states, stream).applied.length - namesOf(steps, stream).length;
}

/** What these migrations of the work stream drop, by what was recorded of them. */
export function tablesDropped(
  states: readonly StreamState[],
  settings: Settings,
  names: readonly string[],
  sqlOf: (name: string) => string,
): DroppedTables {
  const taken = planOf(states, 'work').applied.filter(({ name }) => names.includes(name));
  return {
    clients: taken.flatMap(({ record }) => record?.drops ?? []),
    own: ownDataDropped(
      settings,
      taken.map(({ name }) => sqlOf(name)),
    ),
  };
}

/** The releases that something applied belongs to. */
export function releasesOf(states: readonly Pick<StreamState, 'applied'>[]): number[] {
  const numbers = states.flatMap(({ applied }) => applied.map(({ record }) => record?.release));
  return [...new Set(numbers)].filter((number) => number !== undefined).sort((a, b) => a - b);
}
