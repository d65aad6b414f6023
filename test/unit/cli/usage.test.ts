import { describe, expect, it, test } from 'vitest';
import { commands, groups } from '../../../src/cli/commands/index.js';
import { parseArguments } from '../../../src/cli/parse-arguments.js';
import { EXIT_CODES } from '../../../src/errors/exit-codes.js';
import { loadedCommands } from '../../harness/loaded-commands.js';
import { cli } from './fake-world.js';

const words = (line: string) => line.split(' ').filter(Boolean);

describe('wrong usage', () => {
  test.each([
    ['stauts', 'There is no command pcache-migrate stauts. Did you mean pcache-migrate status?'],
    ['processor enabel', 'Did you mean pcache-migrate processor enable?'],
    ['xyz', 'There is no command pcache-migrate xyz.\n'],
    [
      'setup --paralel 3',
      'There is no option --paralel of pcache-migrate setup. Did you mean --parallel?',
    ],
    ['processor set --limit=3', 'Did you mean --result-limit?'],
    ['sync --verbose', 'There is no option --verbose of pcache-migrate sync.\n'],
    ['status --wait-lock 3', 'There is no option --wait-lock of pcache-migrate status.\n'],
    [
      'processor run --wait-lock 3',
      'There is no option --wait-lock of pcache-migrate processor run.\n',
    ],
    ['up now', 'pcache-migrate up has no place for the argument "now"'],
    ['processor enable a b', 'pcache-migrate processor enable has no place for the argument "b"'],
    ['setup --parallel', 'The option --parallel needs a value.'],
    ['setup --parallel 0', '--parallel must be a whole number from 1 to 20, not "0".'],
    ['setup --parallel 21', '--parallel must be a whole number from 1 to 20, not "21".'],
    ['setup --frequency 0', '--frequency must be a whole number from 1 on, not "0".'],
    ['setup --frequency 1.5', '--frequency must be a whole number from 1 on, not "1.5".'],
    ['setup --frequency -1', '--frequency must be a whole number from 1 on, not "-1".'],
    ['setup --timeout 2147483648', '--timeout must be a whole number from 1 on'],
    ['setup --timeout 1e3', '--timeout must be a whole number from 1 on, not "1e3".'],
    ['processor set --result-limit all', '--result-limit must be a whole number from 1 on'],
    ['processor set', 'Nothing to set: give at least one of --frequency, --timeout, --parallel'],
    ['processor run --count 0', '--count must be a whole number from 1 on, not "0".'],
    [
      'processor retry --status ok',
      '--status is "ok", but must be one of "failed", "timeout", "limit".',
    ],
    ['processor retry --status failed --status done', '--status is "done", but must be one of'],
    // A variable that a script did not set must not become "all".
    ['processor retry --hash', 'The option --hash needs a value.'],
    ['processor retry --hash --dry-run', 'The option --hash needs a value.'],
    ['processor retry --hash=', 'The option --hash needs a value.'],
    ['processor retry --partition-key=', 'The --partition-key is empty.'],
    ['processor retry --partition-key', 'The option --partition-key needs a value.'],
    [
      'processor retry nightly',
      'pcache-migrate processor retry has no place for the argument "nightly"',
    ],
    [
      'processor retry --count 3',
      'There is no option --count of pcache-migrate processor retry.\n',
    ],
    ['up --stream queue', '--stream is "queue", but must be one of "work", "cron".'],
    [
      'up --to 0001_deployment',
      '--to names a migration of one stream: add --stream work or --stream cron.',
    ],
    ['up --wait-lock soon', '--wait-lock must be a whole number from 0 on, not "soon".'],
    ['down --all --count 2', '--count and --all exclude each other'],
    ['down --all --to 0001_deployment', '--to and --all exclude each other'],
    ['down --count two', '--count must be a whole number from 1 on, not "two".'],
    ['status --password x', 'There is no option --password of pcache-migrate status.\n'],
  ])('%s', async (line, message) => {
    const { code, stdout, stderr } = await cli(words(line));
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^Remedy: See: pcache-migrate.* --help$/m);
    expect(stdout).toBe('');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it.each([
    ['', 'pcache-migrate setup'],
    ['processor', 'pcache-migrate processor run'],
  ])('shows what there is when no command is given (%s)', async (line, listed) => {
    const { code, stdout, stderr } = await cli(words(line));
    expect(stderr).toContain(listed);
    expect(stderr).toContain('Error: No command given.');
    expect(stdout).toBe('');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('refuses an empty name: a variable that a script did not set', async () => {
    const { code, stderr } = await cli(['processor', 'remove', '']);
    expect(stderr).toContain("The processor's name is empty.");
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('refuses an empty hash likewise', async () => {
    const { code, stderr } = await cli(['processor', 'retry', '--hash', 'a', '--hash', '']);
    expect(stderr).toContain('A --hash is empty.');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('takes the last value of an option that is given twice', async () => {
    const { stderr } = await cli(words('up --wait-lock soon --wait-lock 5'));
    expect(stderr).toContain("can't connect");
  });

  it('keeps each value of an option that may be repeated, and the last value of the others', () => {
    const argv = words(
      'processor retry --hash a b --partition-key k --hash=c --partition-key l --env-file x --status limit --env-file y --status failed',
    );
    const parsed = parseArguments(argv, {
      name: 'p',
      version: '',
      commands,
      loaded: loadedCommands,
      groups,
      columns: 80,
    });
    expect(parsed).toMatchObject({
      args: {
        hash: ['a', 'b', 'c'],
        status: ['limit', 'failed'],
        'partition-key': 'l',
        'env-file': 'y',
        'dry-run': false,
      },
    });
  });

  it('is reported as one JSON document too', async () => {
    const { code, stdout, stderr } = await cli(words('--env-file x up --bogus 1 --json'));
    expect(JSON.parse(stdout)).toEqual({
      command: 'up',
      ok: false,
      exitCode: 2,
      error: {
        name: 'UsageError',
        message: 'There is no option --bogus of pcache-migrate up.',
        remedy: 'See: pcache-migrate up --help',
      },
    });
    expect(stderr).toContain('There is no option --bogus');
    expect(code).toBe(EXIT_CODES.usage);
  });

  it('names no command in JSON when there is none', async () => {
    const { stdout } = await cli(words('nothing --json'));
    expect(JSON.parse(stdout)).toMatchObject({ command: '', ok: false, exitCode: 2 });
  });
});

describe('what is listed of a command before it is loaded', () => {
  it.each(commands)('fits $name', async ({ name, positionals = [], load }) => {
    const command = await load();
    expect(command.name).toBe(name);
    expect(Object.keys(command.positionals)).toEqual(positionals);
  });
});

describe('help', () => {
  it('lists the commands and every exit code', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    for (const command of [
      'setup',
      'up',
      'down',
      'status',
      'sync',
      'processor',
      'config',
      'doctor',
    ])
      expect(stdout).toMatch(new RegExp(`^ {2}pcache-migrate ${command} `, 'm'));
    for (const exitCode of Object.values(EXIT_CODES))
      expect(stdout).toMatch(new RegExp(`^ {2}${exitCode} +\\w`, 'm'));
    expect(stderr).toBe('');
    expect(code).toBe(EXIT_CODES.done);
  });

  it.each(loadedCommands.map((command) => [command.name, command] as const))(
    'of %s has examples and describes each option',
    async (name, command) => {
      const { code, stdout } = await cli([...words(name), '--help'], { columns: 80 });
      expect(stdout).toContain(`${command.summary.slice(0, 20)}`);
      expect(stdout).toMatch(new RegExp(`Examples:\n {2}pcache-migrate ${name}`));
      for (const option of [...Object.keys(command.options), 'json', 'env-file', 'help'])
        expect(stdout).toMatch(new RegExp(`^ {2}--${option} +\\S`, 'm'));
      expect(code).toBe(EXIT_CODES.done);
    },
  );

  it('gives examples that are valid command lines', async () => {
    for (const { examples } of loadedCommands) {
      for (const [line] of examples) {
        const { code, stderr } = await cli(words(line.replace(/ (?:\||[<>] ).*$/, '')), {
          env: {},
        });
        // The missing configuration is the first thing that is wrong with them.
        expect([line, stderr]).toEqual([line, expect.stringMatching(/DB_NAME|^$/)]);
        expect(code).toBe(EXIT_CODES.usage);
      }
    }
  }, 30_000);

  it('is in English whatever the locale', async () => {
    const { stdout } = await cli(['--help'], { env: { LC_ALL: 'de_DE.UTF-8' } });
    expect(stdout).toContain('Commands:');
  });
});

test('--version prints the version of the package', async () => {
  expect(await cli(['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});
