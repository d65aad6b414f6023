import { ConnectionError } from '../database/connection-error.js';
import { version } from '../deployment/package-version.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { exitCodeOf } from '../errors/pcache-error.js';
import { explainMissingDatabase } from '../jobs/missing-database.js';
import { loadSettings } from '../settings/load.js';
import { SettingsError } from '../settings/problem.js';
import type { Settings } from '../settings/settings.js';
import type { GlobalArguments, Program } from './build-parser.js';
import type { Command, Context, Outcome } from './command.js';
import { commands, groups } from './commands/index.js';
import { failureReport, failureText } from './failure.js';
import { untilInterrupted } from './interrupt.js';
import type { CommandName, FailureDocument } from './json-shape.js';
import { type Tell, tellPeople, tellPrograms } from './output/events.js';
import { createPrinter } from './output/printer.js';
import { type Style, styleOf } from './output/style.js';
import { parseArguments } from './parse-arguments.js';
import { releaseLabel } from './release-label.js';
import { AS_WRITTEN, sameConfiguration } from './same-configuration.js';
import { UsageError } from './usage-error.js';
import type { OutputStream, World } from './world.js';

const NAME = 'pcache-migrate';
const WIDEST_HELP = 100;

/** Runs one command line, prints the result, and returns the exit code for the process. */
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
    const parsed = parseArguments(argv, programFor(world.stdout));
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
    const tell =
      form === 'json-lines'
        ? tellPrograms(printer, world.now)
        : tellPeople(printer, world, stderrStyle);
    const { exitCode, report, text } = await run(
      parsed.command,
      parsed.args,
      world,
      tell,
      stderrStyle,
    );
    printDocument({ command: name, ok: exitCode === 0, exitCode, ...report });
    if (form === 'text') printer.out(same.text(text(stdoutStyle)));
    return exitCode;
  } catch (error) {
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

function programFor({ columns, isTTY }: OutputStream): Program {
  const width = isTTY && columns ? Math.min(columns, WIDEST_HELP) : WIDEST_HELP;
  return { name: NAME, version: version(), commands, groups, columns: width };
}

async function run(
  command: Command,
  args: GlobalArguments,
  world: World,
  tell: Tell,
  stderrStyle: Style,
): Promise<Outcome<object>> {
  const stops: (() => Promise<void>)[] = [];
  const envFile = args['env-file'];
  const readSettings = () =>
    loadSettings({
      env: world.env,
      cwd: world.cwd,
      ...(envFile !== undefined && { envFile }),
    });
  let used: Settings | undefined;
  const context: Context = {
    world,
    stderrStyle,
    log: (message) => tell({ event: 'log', message }),
    onProgress: (progress) => tell({ event: 'migration', ...progress }),
    readSettings,
    settings: () => {
      const result = readSettings();
      if (!result.ok) throw new SettingsError(result.problems);
      used = result.settings;
      return used;
    },
    lockWait: (waitSeconds) => ({
      waitSeconds,
      onWait: (holder) => tell({ event: 'waiting-for-lock', waitSeconds, holder }),
    }),
    onDrain: (wait) => tell({ event: 'waiting-for-runs', ...wait }),
    releaseLabel: () => {
      const note = readSettings().resolved.find(({ name }) => name === 'PCACHE_RELEASE_NOTE');
      return releaseLabel(note?.value, world.env);
    },
    invocation: (commandLine) => `${NAME} ${commandLine}`,
    onInterrupt: (stop) => stops.push(stop),
  };
  try {
    return await untilInterrupted(world.interrupted, stops, () => command.run(args, context));
  } catch (error) {
    if (used === undefined || !(error instanceof ConnectionError)) throw error;
    throw await explainMissingDatabase(error, used);
  }
}
