import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import type { ClusterAddress, ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { findFreeLoopbackPort } from '../../tools/throwaway/free-port.js';
import { runCommand } from '../../tools/throwaway/run-command.js';
import { adminClient } from './databases.js';
import { waitFor } from './wait-for.js';

export interface Standby {
  readonly address: ClusterAddress;
  /** Waits until it has replayed all that the primary has written so far. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

/** A hot standby of the cluster, from the same binaries on this machine; not in Docker, where its port is not published. */
export function startStandby(primary: ThrowawayCluster): Promise<Standby> {
  return startCopy(primary, ['--write-recovery-conf'], async () => {});
}

/**
 * The cluster as it was at a time after `meanwhile` began, which returns that time: restored from a base backup and the
 * write-ahead log, beside the primary.
 */
export function startPointInTime(
  primary: ThrowawayCluster,
  meanwhile: () => Promise<string>,
): Promise<Standby> {
  return startCopy(primary, [], async (data) => {
    const time = await meanwhile();
    const admin = await adminClient('postgres', primary);
    const { rows } = await admin.query("SELECT current_setting('data_directory') AS directory");
    await admin.end();
    await appendFile(
      path.join(data, 'postgresql.auto.conf'),
      `restore_command = 'cp "${rows[0].directory}/pg_wal/%f" "%p"'
recovery_target_time = '${time}'
recovery_target_action = 'promote'
`,
    );
    await writeFile(path.join(data, 'recovery.signal'), '');
  });
}

async function startCopy(
  primary: ThrowawayCluster,
  options: readonly string[],
  beforeStart: (data: string) => Promise<void>,
): Promise<Standby> {
  const runtime = inject('runtime');
  if (runtime.kind !== 'local') throw new Error('a standby needs the runtime local');
  const root = await mkdtemp(path.join(tmpdir(), 'pcache-standby-'));
  if (runtime.account) await chown(root, runtime.account.uid, runtime.account.gid);
  const data = path.join(root, 'data');
  const port = await findFreeLoopbackPort();
  const run = (tool: string, args: string[]) =>
    runCommand(path.join(runtime.binDirectory, tool), args, {
      account: runtime.account,
      cwd: root,
      env: { PATH: process.env.PATH, LC_ALL: 'C', PGPASSWORD: primary.adminPassword },
    });
  await run('pg_basebackup', [
    `--pgdata=${data}`,
    ...options,
    '--checkpoint=fast',
    '--host=127.0.0.1',
    `--port=${primary.port}`,
    `--username=${primary.adminUser}`,
  ]);
  await beforeStart(data);
  await run('pg_ctl', [
    '-D',
    data,
    '-s',
    '-w',
    '-o',
    `-p ${port}`,
    '-l',
    path.join(root, 'log'),
    'start',
  ]);
  const { restart: _, stop: __, keep: ___, logs: ____, ...address } = primary;
  const standby = { ...address, port, serverPort: port };
  return {
    address: standby,
    async catchUp() {
      const [one, other] = [
        await adminClient('postgres', primary),
        await adminClient('postgres', standby),
      ];
      const { rows } = await one.query('SELECT pg_current_wal_lsn() AS lsn');
      await waitFor(
        'the standby to catch up',
        async () => {
          const answer = await other.query(
            'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done',
            [rows[0].lsn],
          );
          return answer.rows[0].done;
        },
        { deadlineMs: 30_000 },
      );
      await one.end();
      await other.end();
    },
    async stop() {
      await run('pg_ctl', ['-D', data, '-s', '-w', '-m', 'immediate', 'stop']).catch(() => {});
      await rm(root, { recursive: true, force: true });
    },
  };
}
