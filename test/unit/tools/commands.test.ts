import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main as migrationMain } from '../../../tools/migrations/migration.js';
import { main as releaseMain } from '../../../tools/migrations/release.js';

// The commands at work on a copy of this package's own migrations, of which nothing is released.
const PARTS = ['migrations', 'cron-migrations', 'routines'];

let root: string;
let said: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pcache-migrate-checkout-'));
  for (const part of PARTS) await cp(part, join(root, part), { recursive: true });
  await writeFile(join(root, 'released.sha256'), '# nothing is released\n');
  await writeFile(join(root, 'package.json'), JSON.stringify({ version: '1.0.0' }));
  said = [];
  const note = (text: unknown) => said.push(String(text)) > 0;
  vi.spyOn(process.stderr, 'write').mockImplementation(note);
  vi.spyOn(console, 'log').mockImplementation(note);
  // What is stale in the checkout is the subject of another test.
  expect(await migration([])).toBe(0);
  said.length = 0;
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true });
});

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(join(root, file), 'utf8');
  expect(change(text)).not.toBe(text);
  await writeFile(join(root, file), change(text));
}

const migration = (args: string[]) => migrationMain(args, root);
const release = () => releaseMain([], root);
const read = (file: string) => readFile(join(root, file), 'utf8');
const editRoutine = () =>
  edit('routines/work/is_cached.sql', (text) => text.replace('RETURN false', 'RETURN NULL'));

describe('npm run migration', () => {
  it('without a name refreshes the pin in the unreleased baseline', async () => {
    await editRoutine();
    expect(await migration([])).toBe(0);
    const file = said.find((line) => line.endsWith('.up.sql'))?.replace('refreshed ', '');
    expect(file).toMatch(/^migrations\/\d{4}_/);
    expect(await read(file as string)).toContain(await read('routines/work/is_cached.sql'));
    said.length = 0;
    expect(await migration([])).toBe(0);
    expect(said).toEqual([]);
  });

  it('once released, asks for a name, and then writes the next pair', async () => {
    expect(await release()).toBe(0);
    await editRoutine();
    expect(await migration([])).toBe(1);
    expect(said.join('\n')).toContain('routines/work/is_cached.sql');

    said.length = 0;
    expect(await migration(['forget_false'])).toBe(0);
    const [up, down] = said.map((line) => line.replace('wrote ', ''));
    expect(up).toMatch(/^migrations\/\d{4}_forget_false\.up\.sql$/);
    expect(await read(up as string)).toContain('RETURN NULL');
    expect(await read(down as string)).toContain('RETURN false');
  });

  it('needs the stream where no routine has changed', async () => {
    expect(await migration(['a_table'])).toBe(1);
    expect(said.join('')).toContain('--stream work or --stream cron');
    expect(await migration(['a_table', '--stream', 'cron'])).toBe(0);
    expect(said.join('\n')).toMatch(/wrote cron-migrations\/\d{4}_a_table\.up\.sql/);
  });

  it.each([[['Bad Name']], [['a', 'b']], [['a', '--stream', 'nix']], [['--nix']]])(
    'refuses %j with its usage',
    async (args) => {
      expect(await migration(args)).toBe(2);
      expect(said.join('')).toContain('Usage: npm run migration');
    },
  );
});

describe('a routine file that does not create what its name says', () => {
  it.each([
    ['npm run migration', () => migration([])],
    ['npm run release', () => release()],
  ])('is named by %s', async (_, command) => {
    await writeFile(
      join(root, 'routines/work/other.sql'),
      await read('routines/work/is_cached.sql'),
    );
    expect(await command()).toBe(1);
    expect(said).toEqual([expect.stringContaining('other.sql must create other')]);
  });
});

describe('npm run release', () => {
  it('lists every migration with a checksum that sha256sum confirms, once', async () => {
    expect(await release()).toBe(0);
    const list = await read('released.sha256');
    expect(list).toMatch(/^# version \d+\.\d+\.\d+$/m);
    execFileSync('sha256sum', ['--check', '--quiet', '--strict', 'released.sha256'], { cwd: root });

    expect(await release()).toBe(1);
    expect(said.join('\n')).toMatch(/Version \S+ is released already/);
    expect(await read('released.sha256')).toBe(list);
  });

  it('refuses while a routine is not in the migrations, and writes nothing', async () => {
    await editRoutine();
    const list = await read('released.sha256');
    expect(await release()).toBe(1);
    expect(said.join('\n')).toContain('routines/work/is_cached.sql differs');
    expect(await read('released.sha256')).toBe(list);
  });
});
