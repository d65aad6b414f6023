import yargs, { type Argv } from 'yargs';
import { EXIT_CODE_MEANINGS, EXIT_CODES } from '../errors/exit-codes.js';
import type { Command, ListedCommand } from './command.js';
import { globalOptions } from './options.js';

export interface Program {
  readonly name: string;
  readonly version: string;
  readonly commands: readonly ListedCommand[];
  /** Those of them that the command line may name. */
  readonly loaded: readonly Command[];
  readonly groups: Readonly<Record<string, string>>;
  /** Width of the help. */
  readonly columns: number;
}

export interface GlobalArguments {
  readonly 'env-file'?: string | undefined;
  readonly json?: boolean | undefined;
  readonly 'json-lines'?: boolean | undefined;
}

export const NO_COMMAND = 'No command given.';

// yargs has its own wording; these replace it, so that each message is a sentence.
const WORDING = {
  'Not enough arguments following: %s': 'The option --%s needs a value.',
  'Argument: %s, Given: %s, Choices: %s': '--%s is %s, but must be one of %s.',
};

const PARSER = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
};

export type Choose = (command: Command, args: GlobalArguments) => void;

/** The parser of the whole command line; calls back with the command that was named and its arguments. */
export function buildParser(program: Program, choose: Choose): Argv {
  const parser = withoutTypes(yargs())
    .scriptName(program.name)
    .locale('en')
    .updateStrings(WORDING)
    .parserConfiguration(PARSER)
    .wrap(program.columns)
    .strict()
    .showHelpOnFail(false)
    .exitProcess(false)
    .help('help', 'Show this help')
    .version('version', 'Show the version', program.version)
    .options(globalOptions)
    .group(['env-file', 'json', 'json-lines', 'no-color', 'help', 'version'], 'Global options:')
    .usage(`${program.name} <command> [options]`)
    .epilogue(epilogue(program))
    .demandCommand(1, NO_COMMAND);
  for (const command of program.commands) {
    if (!command.name.includes(' ')) addCommand(parser, command, command.name, program, choose);
  }
  for (const [group, summary] of Object.entries(program.groups)) {
    parser.command(group, summary, (inner) => {
      inner.usage(`${program.name} ${group} <command> [options]\n\n${summary}.`);
      for (const command of program.commands) {
        const [first, second] = command.name.split(' ');
        if (first === group && second) addCommand(inner, command, second, program, choose);
      }
      return inner.demandCommand(1, NO_COMMAND);
    });
  }
  return parser;
}

/** The help without "[string]" and the like, which says nothing here; @types/yargs lacks the method. */
function withoutTypes(parser: Argv): Argv {
  const configurable = parser as Argv & { usageConfiguration(wishes: object): Argv };
  return configurable.usageConfiguration({ 'hide-types': true });
}

function addCommand(
  parser: Argv,
  { name, summary, positionals = [] }: ListedCommand,
  word: string,
  { loaded }: Program,
  choose: Choose,
): void {
  const usage = [word, ...positionals.map((positional) => `[${positional}]`)].join(' ');
  const command = loaded.find((one) => one.name === name);
  if (command === undefined) {
    // In the list of the help, but not to be chosen: the command line has not all words of its name.
    parser.command(usage, summary);
    return;
  }
  parser.command(
    usage,
    summary,
    (inner) => {
      inner.usage(commandUsage(command, summary)).epilogue(examples(command));
      for (const [name, options] of Object.entries(command.positionals)) {
        inner.positional(name, options);
      }
      for (const [name, options] of Object.entries(command.options)) {
        // Named, so that it comes before the global options.
        inner.option(name, { group: 'Options:', ...options });
      }
      return takesLists(command) ? keepingRepeated(inner, command) : inner;
    },
    (args) => choose(command, args as GlobalArguments),
  );
}

function takesLists({ options }: Command): boolean {
  return Object.values(options).some(({ array }) => array);
}

/** Where the last of an option that is given twice would count, a list would lose all but its last element. */
function keepingRepeated(inner: Argv, { options }: Command): Argv {
  inner.parserConfiguration({ ...PARSER, 'duplicate-arguments-array': true });
  for (const [name, { type, array, coerce }] of Object.entries({
    ...globalOptions,
    ...options,
  } as Command['options'])) {
    if (type !== 'string' || array) continue;
    inner.coerce(name, (given: string | string[]) => {
      const last = Array.isArray(given) ? given.at(-1) : given;
      return coerce ? coerce(last) : last;
    });
  }
  return inner;
}

function commandUsage({ name, positionals, details }: Command, summary: string): string {
  const places = Object.keys(positionals).map((positional) => ` [${positional}]`);
  const line = `$0 ${name}${places.join('')} [options]`;
  return [line, '', `${summary}.`, ...(details === undefined ? [] : [details])].join('\n');
}

// Not by yargs' own examples: two columns would break the command lines.
function examples(command: Command): string {
  return [
    'Examples:',
    ...command.examples.map(([commandLine, meaning]) => `  $0 ${commandLine}\n      ${meaning}`),
  ].join('\n');
}

function epilogue({ name }: Program): string {
  const codes = Object.entries(EXIT_CODE_MEANINGS).map(
    ([key, meaning]) =>
      `  ${String(EXIT_CODES[key as keyof typeof EXIT_CODES]).padEnd(4)} ${meaning}`,
  );
  return [
    'Configuration is read from environment variables and .env; .env.example lists them all,',
    `"${name} config" shows what they come to.`,
    '',
    'Exit codes:',
    ...codes,
    '',
    `"${name} <command> --help" has examples of each command.`,
  ].join('\n');
}
