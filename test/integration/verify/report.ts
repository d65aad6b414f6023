import type { ObjectReport } from '../../../src/objects/object-report.js';
import type { FixOptions } from '../../../src/operations/verify.js';

/** `problem kind identity` of each difference. */
export function differing({ differences }: ObjectReport): string[] {
  return differences.map(({ problem, kind, identity }) => `${problem} ${kind} ${identity}`).sort();
}

export const fixing: FixOptions = {
  confirm: async () => true,
  waitSeconds: 20,
  onWait: () => {},
  log: () => {},
};

/** One statement, or several. */
export function lines(statements: string | readonly string[]): readonly string[] {
  return typeof statements === 'string' ? [statements] : statements;
}
