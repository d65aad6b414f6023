import { setup } from '../../src/operations/setup.js';
import type { StreamChange } from '../../src/operations/up-report.js';
import type { QuickstartSettings } from './environment.js';
import type { Output } from './output.js';

export const setupCommand =
  'npx pcache-migrate setup --frequency 1 --parallel 3 --enable-after-setup';

/** Does what `setupCommand` does with these settings. Returns the processor's name. */
export async function deploy(settings: QuickstartSettings, { say }: Output): Promise<string> {
  const report = await setup(settings, {
    frequencySeconds: 1,
    parallel: 3,
    enable: true,
    waitSeconds: 30,
    drainSeconds: 30,
    onWait: () => {},
    log: () => {},
  });
  if (report.administrator.length > 0) {
    say(`  as the administrator, ${settings.admin.user}:`);
    for (const statement of report.administrator) say(`    ${statement}`);
  }
  for (const stream of report.streams) say(`  ${describeStream(stream)}`);
  say(`  processor ${report.processor.jobName}: every second, 3 slots, enabled`);
  return report.processor.jobName;
}

function describeStream({ stream, database, schema, migrations }: StreamChange): string {
  return `${stream} stream: ${migrations.length} migrations in database ${database}, schema ${schema}`;
}
