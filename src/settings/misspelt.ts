import type { Environment } from './environment.js';
import type { Problems } from './problem.js';
import { mostSimilar } from './similar-name.js';
import { VARIABLES } from './variables.js';

// Only prefixes whose names are all ours: PartitionCache has more variables of its own under PG_QUEUE_ and DB_.
const OWN_PREFIXES = ['PCACHE_', 'PG_CRON_', 'PG_ADMIN_'];

// Variables of this package's own test suite; the commands that it runs inherit them.
const TEST_PREFIX = 'PCACHE_TEST_';

// Kubernetes and Docker links set these in every container next to a service named pg-cron or pcache.
const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP)(?:_.+)?)$/u;

export function refuseMisspelt(environment: Environment, problems: Problems): void {
  for (const [name, { source }] of environment) {
    const prefix = OWN_PREFIXES.find((own) => name.startsWith(own));
    if (prefix === undefined || isOthers(name)) continue;
    const known = VARIABLES.map((variable) => variable.name).filter((n) => n.startsWith(prefix));
    if (known.some((variable) => variable === name)) continue;
    problems.add(
      name,
      `is not a variable of pcache-migrate (${source})`,
      `Did you mean ${mostSimilar(name, known)}? Otherwise unset it.`,
    );
  }
}

function isOthers(name: string): boolean {
  return name.startsWith(TEST_PREFIX) || SERVICE_LINK.test(name);
}
