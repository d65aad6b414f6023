import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { type ImportReport, importSettings } from '../../operations/transfer-settings.js';
import { parseSettingsDocument } from '../../processor/settings-document.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { waitLock } from '../options.js';
import { heldText } from '../output/holds.js';
import { jobActions } from '../output/jobs.js';
import { roomText } from '../output/room.js';
import type { Style } from '../output/style.js';
import { paragraphs } from '../output/text.js';
import { UsageError } from '../usage-error.js';

export const importCommand = defineCommand({
  name: 'import',
  details:
    'All of them or, if anything is wrong with the document, none. Database and prefixes may be others: the default processor gets the name that it has here. ' +
    'Processors that the document does not name stay as they are.',
  examples: [
    ['import settings.json', 'From a file'],
    ['import < settings.json', 'From the standard input'],
  ],
  positionals: {
    file: { type: 'string', describe: 'The document; without it, the standard input' },
  },
  options: waitLock,
  run: async ({ file, 'wait-lock': waitSeconds }, context) => {
    const settings = context.settings();
    const document = parseSettingsDocument(await given(file, context));
    const report = await importSettings(settings, document, context.lockWait(waitSeconds));
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) => importText(report, settings, context, style),
    };
  },
});

async function given(file: string | undefined, { world }: Context): Promise<string> {
  if (file !== undefined) {
    return readFile(resolve(world.cwd, file), 'utf8').catch((error: Error) => {
      throw new UsageError(
        `${shown(file)} cannot be read: ${shown(error.message)}`,
        'Name a file.',
      );
    });
  }
  if (world.stdin.isTTY) {
    throw new UsageError(
      'There is nothing to import.',
      'Name a file, or give it as the standard input.',
    );
  }
  return textOf(world.stdin);
}

function importText(
  { processors, settingsChanged, jobs, holds, room }: ImportReport,
  settings: Settings,
  context: Context,
  style: Style,
): string {
  return paragraphs(
    [
      ...processors.map(({ name, change }) => `Processor ${shown(name)}: ${change}.`),
      `Settings of the deployment: ${settingsChanged ? 'changed' : 'unchanged'}.`,
    ].join('\n'),
    jobActions(settings, jobs),
    roomText(room, style),
    heldText(holds, context, style),
  );
}
