import path from 'node:path';
import { defineConfig } from 'rolldown';
import { thirdPartyLicences } from './tools/build/third-party-licences.js';

/** What the command line needs to know what is asked of it. */
const START =
  /[\\/]src[\\/](errors[\\/]|deployment[\\/]package-version|settings[\\/]similar-name|cli[\\/](run-cli|usage-error|program-name|shell-word|same-configuration|commands[\\/]index|output[\\/](printer|style))\.)/;

/** Almost everything else that is not the command line. */
const DEPLOYMENT =
  /[\\/]src[\\/](?!cli|index\.)|[\\/]node_modules[\\/](pg|pg-.*|postgres-.*|diff|dotenv)[\\/]/;

// All code lies one folder deep in dist, as it does in src: that is how it finds package.json and the migrations.
export default defineConfig({
  input: { 'cli/main': 'src/cli/main.ts', 'library/index': 'src/index.ts' },
  platform: 'node',
  logLevel: 'warn',
  tsconfig: 'tsconfig.json',
  // pg asks for it only where an application has installed it, and wants it.
  external: ['pg-native'],
  resolve: {
    alias: { 'string-width': path.join(import.meta.dirname, 'tools/build/plain-string-width.ts') },
  },
  plugins: [thirdPartyLicences()],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // With a file for each combination of uses, a command would read fifty.
    codeSplitting: {
      groups: [
        { name: 'start', test: START, priority: 2 },
        { name: 'deployment', test: DEPLOYMENT, priority: 1 },
      ],
    },
    // Names and places for stack traces (node --enable-source-maps); the text itself is in the repository.
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
