import { version } from '../deployment/package-version.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { isPrintable, shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { defaultJobName } from './default-job-name.js';
import type { DeploymentSettings, ProcessorSettings } from './deployment-settings.js';

const FORMAT = 'pcache-migrate settings';
const FORMAT_VERSION = 1;

/** What `export` prints and `import` reads: no names but those of processors, and no secret. */
export interface SettingsDocument {
  readonly format: typeof FORMAT;
  /** Raised when an older package must not read it. */
  readonly formatVersion: number;
  /** Of the package that wrote it. */
  readonly packageVersion: string;
  /** For the reader alone: an import may go to another database, with other prefixes. */
  readonly exportedFrom: {
    readonly database: string;
    readonly queuePrefix: string;
    readonly tablePrefix: string;
    readonly cacheBackend: string;
  };
  readonly processors: readonly ProcessorSettings[];
  readonly settings: DeploymentSettings;
}

/** What is to be imported is not what `export` prints; nothing was changed. */
export class SettingsDocumentError extends PcacheError {
  override readonly name = 'SettingsDocumentError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], remedy?: string) {
    super(
      [
        'This cannot be imported; nothing was changed:',
        ...problems.map((one) => `  ${shown(one)}`),
      ].join('\n'),
      {
        remedy: remedy ?? 'Give it what pcache-migrate export has printed.',
        exitCode: EXIT_CODES.usage,
      },
    );
    this.problems = problems;
  }
}

export function settingsDocument(
  { work, queuePrefix, tablePrefix, cacheBackend }: Settings,
  processors: readonly ProcessorSettings[],
  settings: DeploymentSettings,
): SettingsDocument {
  return {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    packageVersion: version(),
    exportedFrom: { database: work.database, queuePrefix, tablePrefix, cacheBackend },
    processors,
    settings,
  };
}

/** Raises SettingsDocumentError with all that is wrong with the text. */
export function parseSettingsDocument(text: string): SettingsDocument {
  const value = parsedJson(text);
  if (!isObject(value) || value.format !== FORMAT) {
    throw new SettingsDocumentError([`it is not a document of the format "${FORMAT}"`]);
  }
  if (value.formatVersion !== FORMAT_VERSION) {
    throw new SettingsDocumentError(
      [
        `its formatVersion is ${JSON.stringify(value.formatVersion)}, and this is pcache-migrate ${version()}, which reads ${FORMAT_VERSION}`,
      ],
      typeof value.packageVersion === 'string'
        ? `Import it with pcache-migrate ${shown(value.packageVersion)}, which wrote it, or later.`
        : undefined,
    );
  }
  const problems: string[] = [];
  const document = read(value, '', DOCUMENT, problems);
  if (problems.length > 0) throw new SettingsDocumentError(problems);
  const checked = document as unknown as SettingsDocument;
  problems.push(...contradictions(checked));
  if (problems.length > 0) throw new SettingsDocumentError(problems);
  return checked;
}

/** The name that the processor has in the deployment of these settings. */
export function nameThere({ isDefault, name }: ProcessorSettings, settings: Settings): string {
  return isDefault ? defaultJobName(settings) : name;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SettingsDocumentError([`it is not JSON: ${(error as Error).message}`]);
  }
}

function contradictions({ processors, settings }: SettingsDocument): string[] {
  const names = processors.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const slots = processors.reduce((sum, one) => sum + (one.enabled ? one.parallel : 0), 0);
  return [
    ...twice.map((name) => `processors: "${name}" is there twice`),
    ...(processors.filter(({ isDefault }) => isDefault).length > 1
      ? ['processors: more than one is the default one']
      : []),
    ...(slots > settings.maxSlots
      ? [
          `processors: the enabled ones have ${slots} slots (parallel) together, and settings.maxSlots is ${settings.maxSlots}`,
        ]
      : []),
  ];
}

type Fields = Readonly<Record<string, Rule>>;

/** Says what a value must be, for a value that is something else. */
type Rule = (value: unknown, path: string, problems: string[]) => void;

const LARGEST_INTEGER = 2_147_483_647;

function whole(from: number, to = LARGEST_INTEGER): Rule {
  return rule(`a whole number from ${from} to ${to}`, (value) => {
    return Number.isInteger(value) && (value as number) >= from && (value as number) <= to;
  });
}

function rule(what: string, holds: (value: unknown) => boolean): Rule {
  return (value, path, problems) => {
    if (!holds(value)) problems.push(`${path} must be ${what}, not ${excerpt(value)}`);
  };
}

function orNull(inner: Rule): Rule {
  return (value, path, problems) => {
    if (value !== null) inner(value, path, problems);
  };
}

const bool = rule('true or false', (value) => typeof value === 'boolean');
const text = rule('a text', (value) => typeof value === 'string');
const name = rule(
  'a name without control characters',
  (value) => typeof value === 'string' && value !== '' && isPrintable(value),
);

function object(fields: Fields): Rule {
  return (value, path, problems) => void read(value, path, fields, problems);
}

function list(each: Rule): Rule {
  return (value, path, problems) => {
    if (!Array.isArray(value)) {
      problems.push(`${path} must be a list, not ${excerpt(value)}`);
      return;
    }
    value.forEach((one, index) => {
      each(one, `${path}[${index}]`, problems);
    });
  };
}

const PROCESSOR: Fields = {
  name,
  isDefault: bool,
  enabled: bool,
  parallel: whole(1, 20),
  frequencySeconds: whole(1),
  timeoutSeconds: whole(1),
  staleAfterSeconds: whole(0),
  resultLimit: orNull(whole(1)),
  defaultBitsize: orNull(whole(1)),
};

const SETTINGS: Fields = {
  batchSize: whole(1, 10_000),
  maxAttempts: whole(1),
  retryBackoffSeconds: whole(0),
  logRetentionDays: whole(1),
  runRetentionDays: whole(1),
  maxSlots: whole(1),
};

const DOCUMENT: Fields = {
  format: text,
  formatVersion: whole(FORMAT_VERSION, FORMAT_VERSION),
  packageVersion: text,
  exportedFrom: object({
    database: text,
    queuePrefix: text,
    tablePrefix: text,
    cacheBackend: text,
  }),
  processors: list(object(PROCESSOR)),
  settings: object(SETTINGS),
};

/** Around the report of every command with --json. */
const ENVELOPE = ['command', 'ok', 'exitCode'];

/** Checks each field, and that there is no other: what is not understood is not left out silently. */
function read(value: unknown, path: string, fields: Fields, problems: string[]): object {
  if (!isObject(value)) {
    problems.push(`${path} must be an object, not ${excerpt(value)}`);
    return {};
  }
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  for (const [key, check] of Object.entries(fields)) {
    if (!Object.hasOwn(value, key)) problems.push(`${at(key)} is missing`);
    else check(value[key], at(key), problems);
  }
  for (const key of Object.keys(value)) {
    const isKnown = Object.hasOwn(fields, key) || (path === '' && ENVELOPE.includes(key));
    if (!isKnown) problems.push(`${at(key)} is not known to this version`);
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function excerpt(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
