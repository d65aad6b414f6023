import { buildParser, type GlobalArguments, NO_COMMAND, type Program } from './build-parser.js';
import type { Command } from './command.js';
import { explainUnknown } from './unknown-argument.js';
import { UsageError } from './usage-error.js';

export type Parsed =
  | { readonly kind: 'command'; readonly command: Command; readonly args: GlobalArguments }
  /** The user asked for help or for the version. */
  | { readonly kind: 'text'; readonly text: string };

/** Finds the command and its arguments. Raises UsageError. */
export function parseArguments(argv: readonly string[], program: Program): Parsed {
  let chosen: { command: Command; args: GlobalArguments } | undefined;
  const parser = buildParser(program, (command, args) => {
    chosen = { command, args };
  });
  let failure: Error | undefined;
  let text = '';
  let words: readonly string[] = [];
  parser.parse(argv, {}, (error, args, output) => {
    failure = error ?? undefined;
    text = output;
    words = (args as { _?: unknown[] } | undefined)?._?.map(String) ?? [];
  });
  if (failure?.message === NO_COMMAND) {
    const help = helpOf(words, program);
    throw new UsageError(NO_COMMAND, 'Choose one of the commands above.', { help });
  }
  if (failure !== undefined) throw usageError(failure, argv, words, program);
  if (chosen === undefined) return { kind: 'text', text };
  const complaint = chosen.command.check(chosen.args);
  if (complaint !== undefined) {
    const { name } = chosen.command;
    throw new UsageError(complaint, seeHelp(program, name), { command: name });
  }
  return { kind: 'command', ...chosen };
}

/** The command that the words name; undefined as long as they don't. */
function commandIn(words: readonly string[], commands: readonly Command[]): Command | undefined {
  return commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
}

function helpOf(words: readonly string[], program: Program): string | undefined {
  const parsed = parseArguments([...words, '--help'], program);
  return parsed.kind === 'text' ? parsed.text : undefined;
}

function usageError(
  failure: Error,
  argv: readonly string[],
  words: readonly string[],
  program: Program,
): UsageError {
  const command = commandIn(words, program.loaded);
  const message =
    explainUnknown(failure.message, argv, words, command, program) ??
    withoutHeading(failure.message);
  const [first = ''] = words;
  const group = first in program.groups ? first : undefined;
  return new UsageError(message, seeHelp(program, command?.name ?? group), {
    command: command?.name,
  });
}

function withoutHeading(message: string): string {
  return message.replace(/^Invalid values:\s+/, '');
}

function seeHelp(program: Program, command: string | undefined): string {
  return `See: ${[program.name, command, '--help'].filter(Boolean).join(' ')}`;
}
