import { describe, expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands/index.js';
import { cli, ENV, type FakeWorldOptions } from './fake-world.js';

const TIME = '2026-01-01T12:00:00.000Z';

/** Both forms of the same command line, each parsed. */
async function bothForms(argv: readonly string[], options: FakeWorldOptions = {}) {
  const document = await cli([...argv, '--json'], options);
  const lines = await cli([...argv, '--json-lines'], options);
  expect(lines.code).toBe(document.code);
  expect(lines.stderr).toBe(document.stderr.replaceAll('--json', '--json-lines'));
  return {
    document: JSON.parse(document.stdout),
    lines: lines.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

describe('--json-lines ends with the document of --json', () => {
  it.each(commands.map(({ name }) => name))(
    'of %s, when the server cannot be reached',
    async (name) => {
      const given =
        { 'processor set': ['--parallel', '2'], import: ['/dev/null'] }[name as string] ?? [];
      const { document, lines } = await bothForms([...name.split(' '), ...given]);
      expect(document.command).toBe(name);
      expect(lines).toEqual([{ event: 'end', time: TIME, ...document }]);
    },
  );

  it.each([
    ['a wrong option', ['up', '--bogus'], {}, 'UsageError'],
    ['a wrong command', ['nothing'], {}, 'UsageError'],
    ['a wrong setting', ['up'], { env: { ...ENV, DB_PORT: 'abc' } }, 'SettingsError'],
    ['a signal', ['up'], { interrupted: AbortSignal.abort('SIGTERM') }, 'InterruptedError'],
  ])('after %s', async (_, argv, options, name) => {
    const { document, lines } = await bothForms(argv, options);
    expect(document.error.name).toBe(name);
    expect(lines).toEqual([{ event: 'end', time: TIME, ...document }]);
  });

  it('also when --json is given with it', async () => {
    const { stdout } = await cli(['nothing', '--json', '--json-lines']);
    expect(JSON.parse(stdout)).toMatchObject({ event: 'end', exitCode: 2 });
  });
});
