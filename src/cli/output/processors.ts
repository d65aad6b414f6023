import type { ProcessorChange } from '../../processor/processor-config.js';
import type { ProcessorStatus } from '../../processor/read-processors.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { yesNo } from './text.js';

export function processorTable(processors: readonly ProcessorStatus[], style: Style): string {
  return table(
    style,
    [
      'processor',
      'enabled',
      'parallel',
      'frequency',
      'timeout',
      'limit',
      'bitsize',
      'queued',
      'active',
      'jobs',
      'ok/h',
      'failed/h',
    ],
    processors.map((processor) => [
      processor.jobName,
      yesNo(processor.enabled),
      processor.parallel,
      `${processor.frequencySeconds} s`,
      `${processor.timeoutSeconds} s`,
      processor.resultLimit ?? 'none',
      processor.defaultBitsize ?? 'none',
      processor.queued,
      processor.active,
      processor.registeredJobs,
      processor.succeededLastHour,
      processor.failedLastHour,
    ]),
  );
}

/** `enabled, every 5 s, result limit none`; empty if there is nothing to change. */
export function changeText(change: ProcessorChange): string {
  const parts: readonly (readonly [unknown, string])[] = [
    [change.enabled, change.enabled ? 'enabled' : 'disabled'],
    [change.frequencySeconds, `frequency ${change.frequencySeconds} s`],
    [change.timeoutSeconds, `timeout ${change.timeoutSeconds} s`],
    [change.parallel, `parallel ${change.parallel}`],
    [change.resultLimit, `result limit ${change.resultLimit ?? 'none'}`],
    [change.defaultBitsize, `default bitsize ${change.defaultBitsize ?? 'none'}`],
  ];
  return parts
    .filter(([value]) => value !== undefined)
    .map(([, text]) => text)
    .join(', ');
}
