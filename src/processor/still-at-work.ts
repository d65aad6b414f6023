import type { ClientBase } from 'pg';
import type { Settings } from '../settings/settings.js';
import { type ActiveFragment, readActive } from './read-active.js';
import { readProcessors } from './read-processors.js';

export interface StillAtWork {
  /** Processors that are enabled. */
  readonly enabled: readonly string[];
  /** Fragments that were started and are not settled yet. */
  readonly active: readonly ActiveFragment[];
}

/** What is still at work after a processor was stopped. */
export async function stillAtWork(work: ClientBase, settings: Settings): Promise<StillAtWork> {
  const processors = await readProcessors(work, settings);
  return {
    enabled: processors.filter(({ enabled }) => enabled).map(({ jobName }) => jobName),
    active: await readActive(work, settings),
  };
}
