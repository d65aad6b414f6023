import type { Plugin } from 'rolldown';
import { bundledPackages } from './bundled-packages.js';
import { licencesText } from './licences-text.js';

export const LICENCES_FILE = 'third-party-licences.txt';

/** Puts the licences of all that is bundled beside the bundle, as they ask for. */
export function thirdPartyLicences(): Plugin {
  return {
    name: 'third-party-licences',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((output) =>
        output.type === 'chunk' ? output.moduleIds : [],
      );
      const source = licencesText(bundledPackages(modules));
      this.emitFile({ type: 'asset', fileName: LICENCES_FILE, source });
    },
  };
}
