import { pasteable, shown } from '../errors/shown.js';

export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** Who can do what a failed check asks for. */
export type RemedyBy =
  | 'administrator'
  | 'owner of the database'
  | 'owner of the schema'
  | 'owner of the tables'
  | 'migrator'
  | 'user';

export interface SqlRemedy {
  readonly kind: 'sql';
  readonly by: RemedyBy;
  readonly database: string;
  /** Complete statements, ready to paste into psql. */
  readonly lines: readonly string[];
}

export interface TextRemedy {
  readonly kind: 'text';
  readonly by: RemedyBy;
  readonly lines: readonly string[];
}

export type Remedy = SqlRemedy | TextRemedy;

export interface Finding {
  readonly status: CheckStatus;
  /** What was found. */
  readonly detail: string;
  readonly remedy?: Remedy | undefined;
}

export interface CheckResult extends Finding {
  /** Stable, for --json; for example `pg-cron-version`. */
  readonly id: string;
  /** What is checked, in a few words. */
  readonly title: string;
}

export interface DoctorReport {
  readonly checks: readonly CheckResult[];
}

/** One question to the databases; `C` is what it needs to find the answer. */
export interface Check<C> {
  readonly id: string;
  readonly title: string;
  /** If one of these checks fails, this question has no answer. */
  readonly needs: readonly string[];
  readonly run: (context: C) => Promise<Finding> | Finding;
}

export function failures(report: DoctorReport): CheckResult[] {
  return report.checks.filter(({ status }) => status === 'failed');
}

// A detail is one line, and so is each line of a remedy: whatever a name in them contains.

export function ok(detail: string): Finding {
  return { status: 'ok', detail: shown(detail) };
}

export function warning(detail: string, remedy?: Remedy): Finding {
  return { status: 'warning', detail: shown(detail), remedy };
}

export function failed(detail: string, remedy: Remedy): Finding {
  return { status: 'failed', detail: shown(detail), remedy };
}

export function text(by: RemedyBy, ...lines: string[]): TextRemedy {
  return { kind: 'text', by, lines: lines.map(shown) };
}

export function sql(by: RemedyBy, database: string, ...lines: string[]): SqlRemedy {
  return { kind: 'sql', by, database, lines: lines.map(pasteable) };
}
