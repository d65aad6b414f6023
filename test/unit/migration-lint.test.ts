import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { placeholderValues } from '../../src/deployment/placeholder-values.js';
import { readMigrations } from '../../src/migrations/read-migrations.js';
import { streams } from '../../src/migrations/streams.js';
import { type Finding, lint, type Script } from '../harness/squawk.js';
import { EXCEPTIONS, type LintException, RULES_OFF } from './migration-lint-reviewed.js';
import { settingsOf } from './settings/helpers.js';

// squawk reads the SQL as a deployment runs it, with every placeholder filled in. What it objects to is changed, or
// stands with its reason in migration-lint-reviewed.ts.

describe('the migrations', () => {
  let scripts: Script[];
  let findings: Finding[];

  beforeAll(async () => {
    scripts = await renderedScripts();
    findings = await lint(scripts);
  });

  it('are all read, up and down, in both streams', () => {
    expect(scripts.map(({ file }) => file).sort()).toEqual(
      Object.values(streams)
        .flatMap(({ directory }) =>
          readdirSync(directory)
            .filter((file) => file.endsWith('.sql'))
            .map((file) => `${basename(directory)}/${file}`),
        )
        .sort(),
    );
  });

  it('have nothing that squawk objects to, but for what was reviewed', () => {
    expect(objections(findings, EXCEPTIONS)).toEqual([]);
  });

  it('give rise to every exception that was reviewed', () => {
    expect(staleExceptions(findings, EXCEPTIONS)).toEqual([]);
    expect(RULES_OFF.filter((off) => !findings.some((finding) => isOff(finding, off)))).toEqual([]);
  });

  it('make no exceptions for themselves', () => {
    expect(scripts.filter(({ sql }) => /squawk-ignore/.test(sql))).toEqual([]);
  });
});

it('each exception has a reason', () => {
  for (const { reason } of [...RULES_OFF, ...EXCEPTIONS]) expect(reason.length).toBeGreaterThan(20);
});

describe('the lint', () => {
  const found = async (sql: string, file = 'migrations/0099_bad.up.sql') =>
    objections(await lint([{ file, sql }]), []).map((objection) => objection.split(': ')[1]);

  it.each([
    ['ALTER TABLE a.b ADD COLUMN c bigint NOT NULL;', 'adding-required-field'],
    ['ALTER TABLE a.b ALTER COLUMN c SET NOT NULL;', 'adding-not-nullable-field'],
    ['ALTER TABLE a.b ALTER COLUMN c TYPE text;', 'changing-column-type'],
    ['ALTER TABLE a.b ADD CONSTRAINT c CHECK (d > 0);', 'constraint-missing-not-valid'],
    ['ALTER TABLE a.b RENAME TO c;', 'renaming-table'],
    ['CREATE INDEX c ON a.b (d);', 'require-concurrent-index-creation'],
    ['CREATE TABLE b (c bigint);', 'require-table-schema'],
    ['CREATE TABLE a.b (c timestamp);', 'prefer-timestamp-tz'],
    ['DROP TABLE a.b;', 'ban-drop-table'],
    ['CREATE TABEL a.b (c bigint);', 'syntax-error'],
  ])('objects to %s', async (sql, rule) => {
    expect(await found(sql)).toContain(rule);
  });

  it('objects to no index on a table that the same migration makes', async () => {
    expect(await found('CREATE TABLE a.b (c bigint); CREATE INDEX d ON a.b (c);')).toEqual([]);
  });

  it('lets a rollback drop a table', async () => {
    expect(await found('DROP TABLE a.b;', 'migrations/0099_bad.down.sql')).toEqual([]);
  });

  it('takes an index made concurrently only from a migration without a transaction', async () => {
    const rule = 'ban-concurrent-index-creation-in-transaction';
    const sql = 'CREATE INDEX CONCURRENTLY c ON a.b (d);\nSELECT 1;';
    expect(await found(`--! no transaction\n${sql}`)).not.toContain(rule);
    expect(await found(sql)).toContain(rule);
  });

  const finding = (line: string): Finding => ({
    file: 'migrations/0001_a.up.sql',
    rule: 'prefer-timestamp-tz',
    line,
    message: 'No.',
  });
  const exception = (lines: string[]): LintException => ({
    file: 'migrations/0001_a.up.sql',
    rule: 'prefer-timestamp-tz',
    lines,
    reason: '',
  });

  it('names what an exception does not name', () => {
    const exceptions = [exception(['a timestamp'])];
    expect(objections([finding('a timestamp,'), finding('b timestamp')], exceptions)).toEqual([
      'migrations/0001_a.up.sql: prefer-timestamp-tz: b timestamp: No.',
    ]);
  });

  it('names what an exception names in vain', () => {
    const exceptions = [exception(['a timestamp', 'c timestamp'])];
    expect(staleExceptions([finding('a timestamp')], exceptions)).toEqual([
      'migrations/0001_a.up.sql: prefer-timestamp-tz: c timestamp',
    ]);
  });
});

async function renderedScripts(): Promise<Script[]> {
  const roles = { PG_CRON_USER: 'cron_role', PG_QUEUE_USER: 'application' };
  const values = placeholderValues(settingsOf(roles));
  const read = Object.values(streams).map(async ({ directory }) =>
    (await readMigrations(directory, values))
      .flatMap(({ up, down }) => [up, down])
      .map(({ file, sql }) => ({ file: `${basename(directory)}/${basename(file)}`, sql })),
  );
  return (await Promise.all(read)).flat();
}

function objections(findings: readonly Finding[], exceptions: readonly LintException[]): string[] {
  return findings
    .filter((finding) => !RULES_OFF.some((off) => isOff(finding, off)))
    .filter((finding) => !exceptions.some(({ lines, ...of }) => isExcepted(finding, of, lines)))
    .map(({ file, rule, line, message }) => `${file}: ${rule}: ${line}: ${message}`);
}

function staleExceptions(
  findings: readonly Finding[],
  exceptions: readonly LintException[],
): string[] {
  return exceptions.flatMap(({ lines, ...of }) =>
    lines
      .filter((line) => !findings.some((finding) => isExcepted(finding, of, [line])))
      .map((line) => `${of.file}: ${of.rule}: ${line}`),
  );
}

function isOff({ file, rule }: Finding, off: (typeof RULES_OFF)[number]): boolean {
  return rule === off.rule && (off.of === 'every migration' || file.endsWith('.down.sql'));
}

function isExcepted(
  finding: Finding,
  { file, rule }: Pick<LintException, 'file' | 'rule'>,
  lines: readonly string[],
): boolean {
  return (
    finding.file === file &&
    finding.rule === rule &&
    lines.some((line) => finding.line.startsWith(line))
  );
}
