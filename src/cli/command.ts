import type { InferredOptionTypes, Options, PositionalOptions } from 'yargs';
import type { LockWait } from '../deployment/with-databases.js';
import type { ExitCode } from '../errors/exit-codes.js';
import type { RunsWait } from '../operations/drain-runs.js';
import type { MigrationProgress } from '../operations/up-report.js';
import type { SettingsResult } from '../settings/load.js';
import type { Settings } from '../settings/settings.js';
import type { CommandName, Reports } from './json-shape.js';
import type { Style } from './output/style.js';
import type { World } from './world.js';

/** What a command gets besides its own arguments. */
export interface Context {
  readonly world: World;
  readonly readSettings: () => SettingsResult;
  /** Raises SettingsError. */
  readonly settings: () => Settings;
  /** Says what is going on right now. */
  readonly log: (message: string) => void;
  /** Likewise, of the migrations. */
  readonly onProgress: (progress: MigrationProgress) => void;
  /** Shows this instead of all else on the terminal that stdout is. */
  readonly redraw: (text: (style: Style) => string) => void;
  /** How text for stderr is styled. */
  readonly stderrStyle: Style;
  readonly lockWait: (waitSeconds: number) => LockWait;
  /** Says that the runs of the processor are waited for. */
  readonly onDrain: (wait: RunsWait) => void;
  /** Where a release comes from that this command makes; undefined if nothing says so. */
  readonly releaseLabel: () => string | undefined;
  /** A command line for the user to copy; where it is printed, it gets the user's --env-file. */
  readonly invocation: (commandLine: string) => string;
  /** Called on Ctrl-C and the like, for a command that then ends by itself instead of being abandoned. */
  readonly onInterrupt: (stop: () => Promise<void>) => void;
}

export interface Outcome<Report> {
  readonly exitCode: ExitCode;
  readonly report: Report;
  /** The report for people. */
  readonly text: (style: Style) => string;
}

type OptionTable = Readonly<Record<string, Options>>;
type PositionalTable = Readonly<Record<string, PositionalOptions>>;

interface CommandSpec<
  Name extends CommandName,
  Own extends OptionTable,
  Positionals extends PositionalTable,
> {
  readonly name: Name;
  /** More for the command's own help. */
  readonly details?: string;
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
  readonly positionals: Positionals;
  readonly options: Own;
  /** Says what is wrong with the arguments taken together; undefined if nothing is. */
  readonly check?: (args: Arguments<Own, Positionals>) => string | undefined;
  readonly run: (
    args: Arguments<Own, Positionals>,
    context: Context,
  ) => Promise<Outcome<Reports[Name]>>;
}

type Arguments<Own extends OptionTable, Positionals extends PositionalTable> = InferredOptionTypes<
  Own & Positionals
>;

/** What is known of a command before it is loaded. */
export interface ListedCommand {
  readonly name: CommandName;
  readonly summary: string;
  /** The names of its positionals. */
  readonly positionals?: readonly string[];
  readonly load: () => Promise<Command>;
}

/** A command whose arguments' types are forgotten: yargs fills them in as its tables say. */
export interface Command
  extends Pick<
    CommandSpec<CommandName, OptionTable, PositionalTable>,
    'name' | 'details' | 'examples' | 'positionals' | 'options'
  > {
  readonly check: (args: unknown) => string | undefined;
  readonly run: (args: unknown, context: Context) => Promise<Outcome<object>>;
}

export function defineCommand<
  Name extends CommandName,
  Own extends OptionTable,
  Positionals extends PositionalTable,
>(spec: CommandSpec<Name, Own, Positionals>): Command {
  return {
    ...spec,
    check: (args) => spec.check?.(args as Arguments<Own, Positionals>),
    run: (args, context) => spec.run(args as Arguments<Own, Positionals>, context),
  };
}
