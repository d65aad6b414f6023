// node tools/run.js <module> [<argument>…] runs the module's main and exits with the code it returns.
//
// Node 20 does not run TypeScript, and the output of tsc, in another folder, would not find
// ../migrations. Vite, which vitest includes, runs the sources where they are.
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

const [module, ...args] = process.argv.slice(2);
const vite = await createViteServer({
  configFile: false,
  // A .env in this folder is for the command line, not for what runs here.
  envDir: false,
  root: fileURLToPath(new URL('..', import.meta.url)),
  appType: 'custom',
  logLevel: 'warn',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
});
const { main } = await vite.ssrLoadModule(`/${module}`);
const exitCode = await main(args);
await vite.close();
process.exit(exitCode);
