import { describeLockHolder, type LockHolder } from '../database/advisory-lock.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { exitCodeOf } from '../errors/pcache-error.js';
import { loadSettings } from '../settings/load.js';
import { SettingsError } from '../settings/problem.js';
import type { GlobalArguments, Program } from './build-parser.js';
import type { Command, Context, Outcome } from './command.js';
import { commands, groups } from './commands/index.js';
import { failureReport, failureText } from './failure.js';
import { untilInterrupted } from './interrupt.js';
import type { CommandName, FailureDocument } from './json-shape.js';
import { createPrinter, type Printer } from './output/printer.js';
import { progressLines } from './output/progress.js';
import { type Style, styleOf } from './output/style.js';
import { version } from './package-version.js';
import { parseArguments } from './parse-arguments.js';
import { shellWord } from './shell-word.js';
import { UsageError } from './usage-error.js';
import type { OutputStream, World } from './world.js';

const NAME = 'pcache-migrate';
const WIDEST_HELP = 100;

/** Runs one command line, prints the result, and returns the exit code for the process. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const given = beforeDashes(argv);
  let json = given.includes('--json');
  let name: CommandName | '' = '';
  const noColor = given.includes('--no-color');
  const stdoutStyle = styleOf(world.stdout, world.env, noColor);
  const stderrStyle = styleOf(world.stderr, world.env, noColor);
  const printer = createPrinter(world, { stdout: stdoutStyle, stderr: stderrStyle });
  try {
    const parsed = parseArguments(argv, programFor(world.stdout));
    if (parsed.kind === 'text') {
      printer.out(parsed.text);
      return EXIT_CODES.done;
    }
    json = parsed.args.json ?? false;
    name = parsed.command.name;
    const { exitCode, report, text } = await run(
      parsed.command,
      parsed.args,
      world,
      printer,
      stderrStyle,
    );
    if (json) printer.json({ command: name, ok: exitCode === 0, exitCode, ...report });
    else printer.out(text(stdoutStyle));
    return exitCode;
  } catch (error) {
    const exitCode = exitCodeOf(error);
    const report = failureReport(error);
    const usage = error instanceof UsageError ? error : undefined;
    if (json) {
      const command = usage?.command ?? name;
      const failure: FailureDocument = { command, ok: false, exitCode, error: report };
      printer.json(failure);
    }
    if (usage?.help) printer.err(`${usage.help}\n`);
    printer.err(failureText(report, stderrStyle));
    return exitCode;
  }
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf('--');
  return dashes < 0 ? argv : argv.slice(0, dashes);
}

function programFor({ columns, isTTY }: OutputStream): Program {
  const width = isTTY && columns ? Math.min(columns, WIDEST_HELP) : WIDEST_HELP;
  return { name: NAME, version: version(), commands, groups, columns: width };
}

async function run(
  command: Command,
  args: GlobalArguments,
  world: World,
  printer: Printer,
  stderrStyle: Style,
): Promise<Outcome<object>> {
  const stops: (() => Promise<void>)[] = [];
  const envFile = args['env-file'];
  const log = (message: string) => printer.log(stderrStyle.dim(message));
  const lineOf = progressLines({
    terminal: stderrStyle.terminal && world.env.TERM !== 'dumb',
    columns: () => world.stderr.columns,
    now: world.now,
  });
  const readSettings = () =>
    loadSettings({
      env: world.env,
      cwd: world.cwd,
      ...(envFile !== undefined && { envFile }),
    });
  const context: Context = {
    world,
    stderrStyle,
    log,
    onProgress: (progress) => {
      const line = lineOf(progress);
      if (line) printer.progress({ ...line, text: stderrStyle.dim(line.text) });
    },
    readSettings,
    settings: () => {
      const result = readSettings();
      if (!result.ok) throw new SettingsError(result.problems);
      return result.settings;
    },
    lockWait: (waitSeconds) => ({
      waitSeconds,
      onWait: (holder) => log(waitingText(waitSeconds, holder)),
    }),
    invocation: (commandLine) =>
      `${NAME} ${commandLine}${envFile === undefined ? '' : ` --env-file ${shellWord(envFile)}`}`,
    onInterrupt: (stop) => stops.push(stop),
  };
  return untilInterrupted(world.interrupted, stops, () => command.run(args, context));
}

function waitingText(waitSeconds: number, holder: LockHolder | undefined): string {
  const who = holder === undefined ? '' : ` (${describeLockHolder(holder)})`;
  return `Waiting up to ${waitSeconds} s for another run of ${NAME}${who} …`;
}
