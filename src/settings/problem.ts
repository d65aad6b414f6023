import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
export interface Problem {
  /** The environment variable (or `--env-file`) that is wrong. */
  readonly variable: string;
  /** What is wrong with it, without a full stop. */
  readonly message: string;
  /** What to do about it, as a sentence. */
  readonly remedy: string;
}

export class SettingsError extends PcacheError {
  override readonly name = 'SettingsError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      [
        'The configuration is not usable:',
        ...problems.map(({ variable, message }) => `  ${variable}: ${message}.`),
      ].join('\n'),
      { remedy: jointRemedy(problems), exitCode: EXIT_CODES.usage },
    );
    this.problems = problems;
  }
}

function jointRemedy(problems: readonly Problem[]): string | undefined {
  if (problems.length < 2) return problems[0]?.remedy;
  return [
    'Fix each of them:',
    ...problems.map(({ variable, remedy }) => `  ${variable}: ${remedy}`),
  ].join('\n');
}

/**
 * Collects all problems of one load. A value that several variables fall back to is read several
 * times but must be reported once.
 */
export class Problems {
  readonly #byText = new Map<string, Problem>();

  /** Returns undefined, which is what a parser returns when it fails. */
  add(variable: string, message: string, remedy: string): undefined {
    this.#byText.set(`${variable}: ${message}`, {
      variable,
      message: shown(message),
      remedy: shown(remedy),
    });
  }

  get all(): Problem[] {
    return [...this.#byText.values()];
  }
}
