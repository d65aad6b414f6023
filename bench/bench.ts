import type { ThrowawayCluster } from '../tools/throwaway/cluster.js';
import type { Site, SiteOptions } from './site.js';

export interface Bench {
  readonly name: string;
  readonly run: (context: BenchContext) => Promise<readonly ResultTable[]>;
}

export interface BenchContext {
  readonly cluster: ThrowawayCluster;
  /** A site that is removed after the bench. */
  readonly site: (options: SiteOptions) => Promise<Site>;
  readonly pgCronTakesSeconds: boolean;
  readonly say: (line: string) => void;
}

export interface ResultTable {
  readonly title: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
