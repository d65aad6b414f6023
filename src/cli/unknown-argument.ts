import { shown } from '../errors/shown.js';
import { mostSimilar } from '../settings/similar-name.js';
import type { Command, ListedCommand } from './command.js';
import { globalOptions } from './options.js';

interface Known {
  readonly name: string;
  readonly commands: readonly ListedCommand[];
}

/** What to say instead of yargs' "Unknown argument: …"; undefined of any other message. */
export function explainUnknown(
  message: string,
  argv: readonly string[],
  words: readonly string[],
  command: Command | undefined,
  known: Known,
): string | undefined {
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1]?.split(', ');
  return unknown?.map((argument) => explain(argument, argv, words, command, known)).join('\n');
}

function explain(
  argument: string,
  argv: readonly string[],
  words: readonly string[],
  command: Command | undefined,
  { name, commands }: Known,
): string {
  const option = optionIn(argv, argument);
  if (option !== undefined) {
    const options = Object.keys({ ...command?.options, ...globalOptions });
    return `There is no option ${shown(option)}${command ? ` of ${name} ${command.name}` : ''}.${suggestion(argument, options, '--')}`;
  }
  if (command !== undefined) {
    return `${name} ${command.name} has no place for the argument "${shown(argument)}".`;
  }
  const given = words.slice(0, words.indexOf(argument));
  const candidates = commands
    .map((candidate) => candidate.name.split(' '))
    .filter((candidate) => given.every((word, index) => candidate[index] === word))
    .map((candidate) => candidate[given.length] ?? '');
  return `There is no command ${[name, ...given, argument].map(shown).join(' ')}.${suggestion(argument, candidates, [name, ...given, ''].map(shown).join(' '))}`;
}

function optionIn(argv: readonly string[], name: string): string | undefined {
  return [`--${name}`, `-${name}`].find((option) =>
    argv.some((word) => word === option || word.startsWith(`${option}=`)),
  );
}

function suggestion(wrong: string, candidates: readonly string[], prefix: string): string {
  const similar = mostSimilar(wrong, candidates);
  return similar && resembles(wrong, similar) ? ` Did you mean ${prefix}${similar}?` : '';
}

// There is always a most similar name; one that shares few letters would only confuse.
function resembles(wrong: string, right: string): boolean {
  const letters = [...wrong];
  return letters.filter((letter) => right.includes(letter)).length > letters.length * (2 / 3);
}
