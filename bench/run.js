// Node 20 runs no TypeScript, and what tsc emits elsewhere would not find ../migrations: Vite, which
// vitest brings along, runs the sources where they are.
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

const vite = await createViteServer({
  configFile: false,
  root: fileURLToPath(new URL('..', import.meta.url)),
  appType: 'custom',
  logLevel: 'warn',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
const { main } = await vite.ssrLoadModule('/bench/main.ts');
const exitCode = await main(process.argv.slice(2));
await vite.close();
process.exit(exitCode);
