import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { invoke } from './invoke.js';
import type { Invocation, Measured } from './tool.js';

const NODE_PG_MIGRATE = fileURLToPath(
  new URL('../../node_modules/node-pg-migrate/bin/node-pg-migrate.js', import.meta.url),
);
const run = promisify(execFile);

/** How many small migrations each of them has applied. */
const MIGRATIONS = 10;
const tables = Array.from({ length: MIGRATIONS }, (_, index) => `t${index + 1}`);

export interface Place {
  /** A folder that is empty yet. */
  readonly folder: string;
  /** A database that is empty yet, by its address, and by its parts. */
  readonly url: string;
  readonly connection: Readonly<Record<'PGHOST' | 'PGPORT' | 'PGUSER' | 'PGPASSWORD', string>>;
  readonly database: string;
}

/** Another tool, with its migrations applied: what it takes to find that nothing is to be done. */
export interface OtherTool {
  readonly name: string;
  readonly prepare: (place: Place) => Promise<readonly Measured[]>;
}

const nodePgMigrate: OtherTool = {
  name: 'node-pg-migrate',
  prepare: async ({ folder, url }) => {
    await write(folder, 'migrations', (table, number) => [
      `${170000000000 + number}_${table}.sql`,
      `-- Up Migration\nCREATE TABLE ${table} ();\n-- Down Migration\nDROP TABLE ${table};\n`,
    ]);
    const up = invocation(process.execPath, [NODE_PG_MIGRATE, 'up'], folder, { DATABASE_URL: url });
    return applied([{ title: 'node-pg-migrate up', run: up }]);
  },
};

const dbmate: OtherTool = {
  name: 'dbmate',
  prepare: async ({ folder, url }) => {
    await write(folder, 'db/migrations', (table, number) => [
      `${20260101000000 + number}_${table}.sql`,
      `-- migrate:up\nCREATE TABLE ${table} ();\n\n-- migrate:down\nDROP TABLE ${table};\n`,
    ]);
    await install(folder, 'dbmate');
    const program = path.join(
      folder,
      'node_modules/@dbmate',
      `${process.platform}-${process.arch}`,
    );
    const env = { DATABASE_URL: `${url}?sslmode=disable`, DBMATE_NO_DUMP_SCHEMA: 'true' };
    const dbmate = (command: string) =>
      invocation(path.join(program, 'bin/dbmate'), [command], folder, env);
    return applied([
      { title: 'dbmate migrate (Go, no Node)', run: dbmate('migrate') },
      { title: 'dbmate status', run: dbmate('status') },
    ]);
  },
};

const graphileMigrate: OtherTool = {
  name: 'graphile-migrate',
  prepare: async ({ folder, url }) => {
    await install(folder, 'graphile-migrate');
    await writeFile(path.join(folder, '.gmrc'), '{}\n');
    let previous = '';
    await write(folder, 'migrations/committed', (table, number) => {
      const body = `CREATE TABLE ${table} ();`;
      const hashed = `${previous}\n${body}`.trim();
      const hash = `sha1:${createHash('sha1').update(`${hashed}\n`).digest('hex')}`;
      const text = `--! Previous: ${previous || '-'}\n--! Hash: ${hash}\n\n${body}\n`;
      previous = hash;
      return [`${String(number).padStart(6, '0')}.sql`, text];
    });
    await writeFile(path.join(folder, 'migrations/current.sql'), '');
    const program = path.join(folder, 'node_modules/graphile-migrate/dist/cli.js');
    const migrate = invocation(process.execPath, [program, 'migrate'], folder, {
      DATABASE_URL: url,
      SHADOW_DATABASE_URL: `${url}_shadow`,
      // Neither is there, nor asked; but it wants three that differ.
      ROOT_DATABASE_URL: `${url}_root`,
    });
    return applied([{ title: 'graphile-migrate migrate', run: migrate }]);
  },
};

const sqitch: OtherTool = {
  name: 'sqitch',
  prepare: async ({ folder, connection, database }) => {
    const target = `db:pg:${database}`;
    const env = {
      ...connection,
      SQITCH_FULLNAME: 'bench',
      SQITCH_EMAIL: 'bench@localhost',
      PGSSLMODE: 'disable',
    };
    const command = (...args: string[]) => invocation('sqitch', args, folder, env);
    await invoke(command('init', 'bench', '--engine', 'pg', '--target', target));
    for (const table of tables) {
      await invoke(command('add', table, '--note', table, '--without', 'verify'));
      await writeFile(path.join(folder, 'deploy', `${table}.sql`), `CREATE TABLE ${table} ();\n`);
    }
    return applied([
      { title: 'sqitch deploy (Perl)', run: command('deploy') },
      { title: 'sqitch status (Perl)', run: command('status') },
    ]);
  },
};

export const otherTools: readonly OtherTool[] = [nodePgMigrate, dbmate, graphileMigrate, sqitch];

/** Runs the first, which applies everything. */
async function applied(
  rows: readonly (Measured & { readonly run: Invocation })[],
): Promise<readonly Measured[]> {
  for (const { run } of rows.slice(0, 1)) await invoke(run);
  return rows;
}

function invocation(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Invocation {
  return { program, args, cwd, env };
}

async function write(
  folder: string,
  directory: string,
  fileOf: (table: string, number: number) => readonly [name: string, text: string],
): Promise<void> {
  const target = path.join(folder, directory);
  await mkdir(target, { recursive: true });
  for (const [index, table] of tables.entries()) {
    const [name, text] = fileOf(table, index + 1);
    await writeFile(path.join(target, name), text);
  }
}

/** From npm, here alone: it is none of our dependencies. */
async function install(folder: string, name: string): Promise<void> {
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
  await run('npm', ['install', '--no-audit', '--no-fund', name], { cwd: folder });
}
