import { withClient } from '../database/connect.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { requireDeployed } from '../deployment/require-deployed.js';
import type { LockWait } from '../deployment/with-databases.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import {
  type Change,
  readDeploymentSettings,
  readProcessorSettings,
  writeDeploymentSettings,
  writeProcessorSettings,
} from '../processor/deployment-settings.js';
import {
  nameThere,
  type SettingsDocument,
  SettingsDocumentError,
  settingsDocument,
} from '../processor/settings-document.js';
import type { Settings } from '../settings/settings.js';
import { type ConfigureReport, configureProcessor } from './configure-processor.js';

/** All settings of the processors, as one document that another deployment can take over. */
export function exportSettings(settings: Settings): Promise<SettingsDocument> {
  return withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    const { processorConfig } = deploymentTables(settings);
    return withOwnTables(work, settings, 'read', [processorConfig], async () =>
      settingsDocument(
        settings,
        await readProcessorSettings(work, settings),
        await readDeploymentSettings(work, settings),
      ),
    );
  });
}

export interface ImportReport extends ConfigureReport {
  readonly processors: readonly { readonly name: string; readonly change: Change }[];
  /** Whether the settings beyond those of the processors were others before. */
  readonly settingsChanged: boolean;
}

/**
 * Takes over all of the document in one transaction; processors that it does not name stay as they are. Raises
 * JobsNotSyncedError when only pg_cron's jobs could not follow.
 */
export async function importSettings(
  settings: Settings,
  document: SettingsDocument,
  wait: LockWait,
): Promise<ImportReport> {
  const names = document.processors.map((processor) => nameThere(processor, settings));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new SettingsDocumentError(
      [`processors: the default one is called "${twice}" here, and another one has that name`],
      'Rename the other one in the document.',
    );
  }
  let settingsChanged = false;
  const processors: { name: string; change: Change }[] = [];
  const configured = await configureProcessor(settings, wait, async (work) => {
    // First, since they limit what the processors may have.
    settingsChanged = await writeDeploymentSettings(work, settings, document.settings);
    for (const processor of document.processors) {
      const name = nameThere(processor, settings);
      const change = await writeProcessorSettings(work, settings, { ...processor, name });
      processors.push({ name, change });
    }
  });
  return { processors, settingsChanged, ...configured };
}
