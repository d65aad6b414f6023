import { fileURLToPath } from 'node:url';
import { findDockerEngine, hasImage, hasLabel, pullImage } from './docker-engine.js';
import { findAptPrivilege, installByApt } from './install-by-apt.js';
import { findLocalBinaries } from './local-binaries.js';
import { type OsAccount, runCommand } from './run-command.js';

export interface DockerRuntime {
  kind: 'docker';
  image: string;
}
export interface LocalRuntime {
  kind: 'local';
  binDirectory: string;
  /** Set if we are root, because the server refuses to run as root. */
  account: OsAccount | undefined;
}
export type Runtime = DockerRuntime | LocalRuntime;

interface Surroundings {
  env: NodeJS.ProcessEnv;
  say: (line: string) => void;
}

const defaultImage = 'pcache-migrate/postgres-pg_cron:trixie';
// Says which entrypoint and paths the image has; image/Dockerfile sets it.
const imageLabel = { name: 'pcache-migrate.throwaway-image', value: '1' };
const imageScript = fileURLToPath(new URL('image/build.sh', import.meta.url));

/** Finds what can run a throwaway PostgreSQL with pg_cron here, and installs it if necessary. */
export async function findRuntime(surroundings: Surroundings): Promise<Runtime> {
  const wanted = parseWanted(surroundings.env.PCACHE_TEST_RUNTIME);
  const finders = [
    ...(wanted === 'local' ? [] : [findDocker]),
    ...(wanted === 'docker' ? [] : [findLocal, installLocal]),
  ];
  const missing: string[] = [];
  for (const find of finders) {
    const found = await find(surroundings);
    if (typeof found !== 'string') return found;
    missing.push(found);
  }
  const forced = wanted === undefined ? '' : ` (PCACHE_TEST_RUNTIME=${wanted} allows no other)`;
  throw new Error(
    `Nothing here can run PostgreSQL with pg_cron${forced}. Any one of these would do:\n${missing
      .map((line) => `- ${line}`)
      .join('\n')}`,
  );
}

function parseWanted(value: string | undefined): Runtime['kind'] | undefined {
  if (value === undefined || value === '') return undefined;
  if (value === 'docker' || value === 'local') return value;
  throw new Error(`PCACHE_TEST_RUNTIME is '${value}'; it can be docker or local, or unset`);
}

async function findDocker({ env, say }: Surroundings): Promise<DockerRuntime | string> {
  const engine = await findDockerEngine();
  if (typeof engine === 'string') {
    return `Docker: ${engine}`;
  }
  const chosen = env.PCACHE_TEST_IMAGE;
  const image = chosen || defaultImage;
  if (chosen && !(await hasImage(engine, image)) && !(await pullImage(engine, image))) {
    return `Docker: the image ${image} of PCACHE_TEST_IMAGE does not exist and can't be pulled.`;
  }
  if (!chosen && !(await hasImage(engine, image))) {
    const failure = await buildImage(say);
    if (failure !== undefined) {
      return `Docker: the engine answers, but the image ${image} does not exist. Build it: bash tools/throwaway/image/build.sh\n  (tried without debootstrap: ${failure})`;
    }
  }
  if (!(await hasLabel(engine, image, imageLabel))) {
    return `Docker: the image ${image} was not built by this tools/throwaway/image/build.sh (label ${imageLabel.name}=${imageLabel.value}). Build it again: bash tools/throwaway/image/build.sh`;
  }
  return { kind: 'docker', image };
}

// The image is not published: pulling its name would run whatever someone else publishes there.
// Only the Debian image that it is built from can be pulled.
async function buildImage(say: (line: string) => void): Promise<string | undefined> {
  say('Docker: building the image of PostgreSQL with pg_cron, if its Debian base is available.');
  try {
    await runCommand('bash', [imageScript, '--no-debootstrap'], {
      onLine: (line) => say(`  ${line}`),
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n').at(-1) ?? '') : String(error);
  }
}

async function findLocal({ env }: Surroundings): Promise<LocalRuntime | string> {
  const found = await findLocalBinaries(env);
  if ('binDirectory' in found) {
    const account = await serverAccount();
    return typeof account === 'string'
      ? `PostgreSQL in ${found.binDirectory}: ${account}`
      : { kind: 'local', binDirectory: found.binDirectory, account };
  }
  const where =
    found.looked.length === 0
      ? 'no PostgreSQL server in PATH or /usr/lib/postgresql'
      : `no pg_cron for the PostgreSQL of ${found.looked.join(', ')}`;
  return `PostgreSQL on this machine: ${where}. Install both.`;
}

async function installLocal(surroundings: Surroundings): Promise<LocalRuntime | string> {
  const privilege = await findAptPrivilege();
  if (typeof privilege === 'string') return `Installing with apt-get: ${privilege}.`;
  surroundings.say(
    'Found neither a usable Docker engine nor PostgreSQL with pg_cron: installing both packages with apt-get, as root. No system cluster is created or started.',
  );
  await installByApt(privilege, surroundings.say);
  return findLocal(surroundings);
}

async function serverAccount(): Promise<OsAccount | undefined | string> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await runCommand('id', [flag, 'postgres'])).trim());
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    return 'the server refuses to run as root, and there is no system user postgres. Run this as another user.';
  }
}
