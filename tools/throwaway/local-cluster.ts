import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { guardCleanup } from './cleanup-guard.js';
import { type ClusterOptions, changeOptions, type ThrowawayCluster } from './cluster.js';
import type { LocalRuntime } from './find-runtime.js';
import { findFreeLoopbackPort } from './free-port.js';
import { type OsAccount, runCommand } from './run-command.js';
import { pgHbaConf, renderPostgresqlConf } from './server-files.js';
import { waitForServer } from './wait-for-server.js';

const adminUser = 'postgres';

interface Paths {
  root: string;
  data: string;
  socket: string;
  conf: string;
  hba: string;
  password: string;
  log: string;
}

export async function startLocalCluster(
  runtime: LocalRuntime,
  initialOptions: ClusterOptions,
): Promise<ThrowawayCluster> {
  let options = initialOptions;
  const paths = await makePaths(runtime.account);
  const cleanup = cleanupScript(runtime, paths);
  const guard = guardCleanup(['sh', '-c', cleanup], { account: runtime.account, cwd: '/' });
  const port = await findFreeLoopbackPort();
  const adminPassword = randomBytes(18).toString('base64url');

  const run = (tool: string, args: string[]) =>
    runCommand(path.join(runtime.binDirectory, tool), args, {
      account: runtime.account,
      cwd: paths.root,
      // The caller's PG* variables must not reach a server that is not the caller's.
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
  const pgCtl = (...args: string[]) => run('pg_ctl', ['-D', paths.data, '-s', '-w', ...args]);
  const logs = () => readFile(paths.log, 'utf8').catch(() => '');

  const start = async () => {
    await writeOwned(paths.conf, renderConf(paths, port, options), runtime.account);
    try {
      await pgCtl('start', '-l', paths.log);
      await waitForServer(
        { host: '127.0.0.1', port, user: adminUser, password: adminPassword },
        () =>
          pgCtl('status').then(
            () => true,
            () => false,
          ),
      );
    } catch (cause) {
      throw new Error(`PostgreSQL of ${runtime.binDirectory} did not start:\n${await logs()}`, {
        cause,
      });
    }
  };

  const removeAll = async () => {
    await pgCtl('stop', '-m', 'immediate').catch(() => {});
    await rm(paths.root, { recursive: true, force: true, maxRetries: 5 });
    guard.dismiss();
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= removeAll();
    return stopped;
  };

  try {
    await initialise(run, paths, adminPassword, runtime.account);
    await start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    runtime: 'local',
    host: '127.0.0.1',
    port,
    serverPort: port,
    adminUser,
    adminPassword,
    location: {
      kind: 'local',
      binDirectory: runtime.binDirectory,
      socketDirectory: paths.socket,
    },
    async restart(changes = {}) {
      options = changeOptions(options, changes);
      await pgCtl('stop', '-m', 'fast');
      await start();
    },
    stop,
    keep() {
      guard.dismiss();
      return runtime.account === undefined
        ? cleanup
        : `runuser -u postgres -- sh -c ${quoteForShell(cleanup)}`;
    },
    logs,
  };
}

async function initialise(
  run: (tool: string, args: string[]) => Promise<string>,
  paths: Paths,
  adminPassword: string,
  account: OsAccount | undefined,
): Promise<void> {
  await writeOwned(paths.password, `${adminPassword}\n`, account);
  await run('initdb', [
    `--pgdata=${paths.data}`,
    `--username=${adminUser}`,
    `--pwfile=${paths.password}`,
    '--encoding=UTF8',
    '--no-locale',
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    '--no-sync',
  ]);
  await rm(paths.password);
  await writeOwned(paths.hba, pgHbaConf, account);
}

function renderConf(paths: Paths, port: number, options: ClusterOptions): string {
  return renderPostgresqlConf(
    {
      listenAddresses: '127.0.0.1',
      port,
      socketDirectory: paths.socket,
      hbaFile: paths.hba,
    },
    options,
  );
}

// mkdtemp's directory is private to its owner, and so is the socket in it, which trusts everyone.
async function makePaths(account: OsAccount | undefined): Promise<Paths> {
  const root = await mkdtemp(path.join(tmpdir(), 'pcache-throwaway-'));
  const paths = {
    root,
    data: path.join(root, 'data'),
    socket: path.join(root, 'socket'),
    conf: path.join(root, 'data', 'postgresql.conf'),
    hba: path.join(root, 'pg_hba.conf'),
    password: path.join(root, 'password'),
    log: path.join(root, 'server.log'),
  };
  await mkdir(paths.socket);
  if (account !== undefined) {
    await chown(paths.socket, account.uid, account.gid);
    await chown(root, account.uid, account.gid);
  }
  return paths;
}

async function writeOwned(
  file: string,
  content: string,
  account: OsAccount | undefined,
): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

function cleanupScript(runtime: LocalRuntime, paths: Paths): string {
  const pgCtl = quoteForShell(path.join(runtime.binDirectory, 'pg_ctl'));
  const data = quoteForShell(paths.data);
  return `${pgCtl} -D ${data} -s -w stop -m immediate; rm -rf ${quoteForShell(paths.root)}`;
}

function quoteForShell(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
