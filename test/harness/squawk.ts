import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SQUAWK = fileURLToPath(new URL('../../node_modules/.bin/squawk', import.meta.url));

/** The oldest server that this package supports: what is safe there is safe on the newer ones. */
const SERVER_VERSION = '12.0';

/** Rules that squawk knows and leaves out unless it is told otherwise. */
const FURTHER_RULES = ['require-table-schema'];

export interface Script {
  /** `migrations/0003_queues.up.sql`. */
  readonly file: string;
  readonly sql: string;
}

export interface Finding {
  readonly file: string;
  readonly rule: string;
  /** The line that it is about; white space collapsed. */
  readonly line: string;
  readonly message: string;
}

/** What squawk has to say of scripts that are run as the migrations are. */
export async function lint(scripts: readonly Script[]): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'pcache-squawk-'));
  try {
    for (const { file, sql } of scripts) {
      await mkdir(join(folder, dirname(file)), { recursive: true });
      await writeFile(join(folder, file), sql);
    }
    const alone = scripts.filter(isWithoutTransaction);
    const together = scripts.filter((script) => !isWithoutTransaction(script));
    return [
      ...(await runSquawk(folder, together, ['--assume-in-transaction'])),
      ...(await runSquawk(folder, alone, [])),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** By its header, as the migrations say it of themselves. */
function isWithoutTransaction({ sql }: Script): boolean {
  return /^--! no transaction$/m.test(sql);
}

interface Reported {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
}

async function runSquawk(
  folder: string,
  scripts: readonly Script[],
  options: readonly string[],
): Promise<Finding[]> {
  if (scripts.length === 0) return [];
  const files = scripts.map(({ file }) => file);
  const reported = await new Promise<Reported[]>((resolve, reject) => {
    const include = FURTHER_RULES.map((rule) => `--include=${rule}`);
    execFile(
      SQUAWK,
      ['--reporter=json', `--pg-version=${SERVER_VERSION}`, ...include, ...options, ...files],
      { cwd: folder, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        // It ends with 1 when it has found something; then, too, stdout is its report.
        if (stdout !== '') resolve(JSON.parse(stdout));
        else reject(new Error(`squawk printed no report: ${stderr}`, { cause: error }));
      },
    );
  });
  const lines = new Map(scripts.map(({ file, sql }) => [file, sql.split('\n')]));
  return reported.map(({ file, line, rule_name: rule, message }) => ({
    file,
    rule,
    line: (lines.get(file)?.[line] ?? '').replace(/\s+/g, ' ').trim(),
    message,
  }));
}
