import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../../src/errors/exit-codes.js';
import { cli, ENV } from './fake-world.js';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'pcache-cli-'));
});

afterEach(() => rmSync(cwd, { recursive: true }));

describe('config', () => {
  it('shows each variable with its source, and no secret', async () => {
    writeFileSync(
      join(cwd, '.env'),
      'PG_CRON_USER=scheduler\nPG_ADMIN_USER=dba\nPGPASSWORD=in-the-file-1',
    );
    const env = { ...ENV, PG_QUEUE_URL: 'postgresql://client:in-a-uri-2@127.0.0.1:1/app' };
    const { code, stdout, stderr } = await cli(['config'], { cwd, env });
    expect(stdout).toMatch(/^DB_HOST +127\.0\.0\.1 +environment$/m);
    expect(stdout).toMatch(/^DB_PASSWORD +\*+ +environment$/m);
    expect(stdout).toMatch(/^PG_CRON_USER +scheduler +\.env$/m);
    expect(stdout).toMatch(/^PG_CRON_HOST +127\.0\.0\.1 +from DB_HOST$/m);
    expect(stdout).toMatch(/^PG_CRON_DATABASE +postgres +default$/m);
    expect(stdout).toMatch(/^DB_URL +- +not set$/m);
    expect(stdout).toContain('Mode: cross; transport: deploy.');
    expect(stdout).toContain('partitioncache_process_queue_app_mycache');
    expect(stdout + stderr).not.toMatch(/hunter2|in-the-file|in-a-uri/);
    expect(code).toBe(EXIT_CODES.done);
  });

  it('gives the same as JSON', async () => {
    const { code, stdout } = await cli(['config', '--json']);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      command: 'config',
      ok: true,
      exitCode: 0,
      deployment: { mode: 'cross', transport: 'deploy', schema: 'partitioncache' },
    });
    expect(document.variables).toContainEqual({
      name: 'DB_PORT',
      value: '1',
      source: 'environment',
    });
    expect(document.variables).toContainEqual({ name: 'DB_URL', source: 'not set' });
    expect(stdout).not.toContain('hunter2');
    expect(code).toBe(EXIT_CODES.done);
  });

  it('shows everything that is wrong, next to the rest', async () => {
    const env = { ...ENV, DB_PORT: 'abc', CACHE_BACKEND: 'redis', PG_CRON_DB: 'x' };
    const { code, stdout } = await cli(['config'], { env });
    expect(stdout).toMatch(/^DB_HOST +127\.0\.0\.1 +environment$/m);
    expect(stdout).toContain('DB_PORT: the port "abc" (environment) is not a whole number.');
    expect(stdout).toContain('CACHE_BACKEND: "redis" (environment) is not a backend');
    expect(stdout).toContain('Did you mean PG_CRON_DATABASE?');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('gives what is wrong as JSON', async () => {
    const { code, stdout } = await cli(['config', '--json'], { env: { ...ENV, DB_PORT: 'abc' } });
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'config',
      ok: false,
      exitCode: 2,
      variables: expect.any(Array),
      error: { name: 'SettingsError', problems: [{ variable: 'DB_PORT' }] },
    });
    expect(code).toBe(EXIT_CODES.usage);
  });
});

describe('any other command', () => {
  it.each([
    ['setup'],
    ['up'],
    ['down'],
    ['status'],
    ['sync'],
    ['doctor'],
    ['processor enable'],
    ['processor run'],
  ])('%s says all that is wrong with the configuration, before it connects', async (name) => {
    const env = {
      ...ENV,
      DB_PORT: 'abc',
      PG_QUEUE_TABLE_PREFIX: 'has "quotes"',
      PG_QUEUE_DB: 'other',
    };
    const { code, stdout, stderr } = await cli([...name.split(' '), '--json'], { env });
    const { command, ok, exitCode, error } = JSON.parse(stdout);
    expect({ command, ok, exitCode }).toEqual({ command: name, ok: false, exitCode: 2 });
    const variables = error.problems.map(({ variable }: { variable: string }) => variable);
    expect(variables.sort()).toEqual(['DB_PORT', 'PG_QUEUE_DB', 'PG_QUEUE_TABLE_PREFIX']);
    for (const { variable, message, remedy } of error.problems) {
      expect(stderr).toContain(`${variable}: ${message}.`);
      expect(stderr).toContain(`${variable}: ${remedy}`);
    }
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('reads the file given by --env-file, and names it', async () => {
    writeFileSync(join(cwd, 'other.env'), 'DB_PORT=nowhere');
    const env = { ...ENV, DB_PORT: undefined };
    const { code, stderr } = await cli(['status', '--env-file', 'other.env'], { cwd, env });
    expect(stderr).toContain('DB_PORT: the port "nowhere" (other.env) is not a whole number.');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('reports a file given by --env-file that does not exist', async () => {
    const { code, stderr } = await cli(['status', '--env-file', 'none.env'], { cwd });
    expect(stderr).toContain('--env-file: there is no file none.env.');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('fails with the reason and the remedy when nothing listens there', async () => {
    const { code, stdout, stderr } = await cli(['status', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      command: 'status',
      ok: false,
      exitCode: 1,
      error: {
        name: 'ConnectionError',
        message: expect.stringContaining('127.0.0.1:1'),
        remedy: expect.stringContaining('Check DB_HOST and DB_PORT'),
      },
    });
    expect(stderr).toMatch(/^Error: can't connect .*\nRemedy: Check DB_HOST/);
    expect(stdout + stderr).not.toMatch(/hunter2| at .*\.[jt]s:/);
    expect(code).toBe(EXIT_CODES.failed);
  });
});
