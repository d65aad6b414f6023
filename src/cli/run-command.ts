import { ConnectionError } from '../database/connection-error.js';
import { explainMissingDatabase } from '../jobs/missing-database.js';
import { loadSettings } from '../settings/load.js';
import { SettingsError } from '../settings/problem.js';
import type { Settings } from '../settings/settings.js';
import type { GlobalArguments } from './build-parser.js';
import type { Command, Context, Outcome } from './command.js';
import { untilInterrupted } from './interrupt.js';
import type { Tell } from './output/events.js';
import type { Style } from './output/style.js';
import { NAME } from './program-name.js';
import { releaseLabel } from './release-label.js';
import type { World } from './world.js';

/** Runs what the command line asks for. Raises what the command raises. */
export async function runCommand(
  command: Command,
  args: GlobalArguments,
  world: World,
  tell: Tell,
  stderrStyle: Style,
  redraw: Context['redraw'],
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
    redraw,
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
