import { version } from '../deployment/package-version.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { exitCodeOf } from '../errors/pcache-error.js';
import type { GlobalArguments, Program } from './build-parser.js';
import type { Command } from './command.js';
import { commands, groups } from './commands/index.js';
import type { CommandName, FailureDocument } from './json-shape.js';
import { createPrinter } from './output/printer.js';
import { styleOf } from './output/style.js';
import { NAME } from './program-name.js';
import { AS_WRITTEN, sameConfiguration } from './same-configuration.js';
import { UsageError } from './usage-error.js';
import type { OutputStream, World } from './world.js';

const WIDEST_HELP = 100;

/**
 * Runs one command line, prints the result, and returns the exit code for the process. What only a command needs, or a
 * failure, is loaded only then: help and version come at once.
 */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const given = beforeDashes(argv);
  let form = formOf({
    json: given.includes('--json'),
    'json-lines': given.includes('--json-lines'),
  });
  let name: CommandName | '' = '';
  const noColor = given.includes('--no-color');
  const stdoutStyle = styleOf(world.stdout, world.env, noColor);
  const stderrStyle = styleOf(world.stderr, world.env, noColor);
  const printer = createPrinter(world, { stdout: stdoutStyle, stderr: stderrStyle });
  let same = AS_WRITTEN;
  const printDocument = (document: object) => {
    if (form === 'json') printer.json(same.document(document));
    if (form === 'json-lines') {
      printer.jsonLine({ event: 'end', time: world.now(), ...same.document(document) });
    }
  };
  try {
    if (argv.length === 1 && argv[0] === '--version') {
      printer.out(version());
      return EXIT_CODES.done;
    }
    const { parseArguments } = await import('./parse-arguments.js');
    const program = await programFor(argv, world.stdout);
    const parsed = parseArguments(argv, program);
    if (parsed.kind === 'text') {
      printer.out(parsed.text);
      return EXIT_CODES.done;
    }
    form = formOf(parsed.args);
    name = parsed.command.name;
    same = sameConfiguration(
      NAME,
      commands.map((command) => command.name),
      parsed.args['env-file'],
    );
    const [{ runCommand }, { tellPeople, tellPrograms }] = await Promise.all([
      import('./run-command.js'),
      import('./output/events.js'),
    ]);
    const tell =
      form === 'json-lines'
        ? tellPrograms(printer, world.now)
        : tellPeople(printer, world, stderrStyle);
    const { exitCode, report, text } = await runCommand(
      parsed.command,
      parsed.args,
      world,
      tell,
      stderrStyle,
      (view) => printer.redraw(same.text(view(stdoutStyle))),
    );
    printDocument({ command: name, ok: exitCode === 0, exitCode, ...report });
    if (form === 'text') printer.out(same.text(text(stdoutStyle)));
    return exitCode;
  } catch (error) {
    const { failureReport, failureText } = await import('./failure.js');
    const exitCode = exitCodeOf(error);
    const report = failureReport(error);
    const usage = error instanceof UsageError ? error : undefined;
    const command = usage?.command ?? name;
    printDocument({ command, ok: false, exitCode, error: report } satisfies FailureDocument);
    if (usage?.help) printer.err(`${usage.help}\n`);
    printer.err(same.text(failureText(report, stderrStyle)));
    return exitCode;
  }
}

type Form = 'text' | 'json' | 'json-lines';

function formOf({ json, 'json-lines': lines }: GlobalArguments): Form {
  if (lines) return 'json-lines';
  return json ? 'json' : 'text';
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf('--');
  return dashes < 0 ? argv : argv.slice(0, dashes);
}

async function programFor(
  argv: readonly string[],
  { columns, isTTY }: OutputStream,
): Promise<Program> {
  const width = isTTY && columns ? Math.min(columns, WIDEST_HELP) : WIDEST_HELP;
  return {
    name: NAME,
    version: version(),
    commands,
    loaded: await loadNamed(argv),
    groups,
    columns: width,
  };
}

/** A command can only be meant where all words of its name are given. */
function loadNamed(argv: readonly string[]): Promise<Command[]> {
  const named = commands.filter(({ name }) => name.split(' ').every((word) => argv.includes(word)));
  return Promise.all(named.map(({ load }) => load()));
}
