import type { Client } from 'pg';
import { inParallel } from '../../src/operations/in-parallel.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { createTinyTable } from '../sample-data.js';
import { createSite, type Site, type SiteOptions } from '../site.js';

const atOnce = 4;

/** A deployment, and a client's session in it. */
export interface Member {
  readonly site: Site;
  readonly client: Client;
}

/** Deployments of one cron role, each in a database of its own. */
export interface Fleet {
  readonly members: readonly Member[];
  /** Deploys further ones, until there are this many, and enables them. */
  growTo(count: number): Promise<void>;
  remove(): Promise<void>;
}

/** One deployment so far. */
export async function deployFleet(
  cluster: ThrowawayCluster,
  { name, deployedBy }: Pick<SiteOptions, 'name' | 'deployedBy'>,
): Promise<Fleet> {
  const sites: Site[] = [];
  const members: Member[] = [];
  const join = async (options: Pick<SiteOptions, 'name' | 'rolesOf'>) => {
    const site = await createSite(cluster, { scheduled: 'later', deployedBy, ...options });
    sites.push(site);
    await createTinyTable(site);
    members.push({ site, client: await site.connectAs('client') });
    return site;
  };
  const first = await join({ name });
  await first.enable();
  return {
    members,
    // What is enabled already would slow down the deployment of the rest.
    async growTo(count) {
      const missing = Array.from(
        { length: count - members.length },
        (_, index) => `${name}_${members.length + index + 1}`,
      );
      const further = await inParallel(missing, atOnce, (another) =>
        join({ name: another, rolesOf: first }),
      );
      await inParallel(further, atOnce, (site) => site.enable());
    },
    async remove() {
      for (const site of sites) await site.remove();
    },
  };
}
