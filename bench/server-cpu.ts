import { readdir, readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import type { ThrowawayCluster } from '../tools/throwaway/cluster.js';
import { runCommand } from '../tools/throwaway/run-command.js';

// USER_HZ, the unit in which the kernel shows times: 100 on every Linux.
const ticksASecond = 100;

interface Process {
  readonly parent: number;
  /** Of the process itself. */
  readonly ticks: number;
  /** Of its children that have ended. */
  readonly ticksOfEnded: number;
}

/**
 * CPU seconds that the server's processes have used so far, including those that have ended, but not the
 * backends of `observers`. Undefined if the server's processes cannot be seen from here.
 */
export async function serverCpuSeconds(
  cluster: ThrowawayCluster,
  observers: readonly Client[],
): Promise<number | undefined> {
  try {
    const excluded = await Promise.all(observers.map(backendPid));
    const postmaster = await postmasterPid(cluster, observers);
    const { ticks, ticksOfEnded } = await readProcess(postmaster);
    let sum = ticks + ticksOfEnded;
    for (const pid of await allPids()) {
      const child = await readProcess(pid).catch(() => undefined);
      if (child?.parent !== postmaster) continue;
      if (!excluded.includes(await pidAsServerSeesIt(pid))) sum += child.ticks;
    }
    return sum / ticksASecond;
  } catch {
    return undefined;
  }
}

async function postmasterPid(
  { location }: ThrowawayCluster,
  [observer]: readonly Client[],
): Promise<number> {
  if (location.kind === 'docker') {
    const format = '{{.State.Pid}}';
    return Number(await runCommand('docker', ['inspect', '--format', format, location.container]));
  }
  if (observer === undefined) throw new Error('there is no session to look from');
  return (await readProcess(await backendPid(observer))).parent;
}

async function backendPid(client: Client): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return rows[0].pid;
}

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).map(Number).filter(Number.isInteger);
}

async function readProcess(pid: number): Promise<Process> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name before it may contain anything; the state comes right after the name.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (index: number) => fields[index] ?? 0;
  return { parent: at(1), ticks: at(11) + at(12), ticksOfEnded: at(13) + at(14) };
}

// In a container, a process has another pid.
async function pidAsServerSeesIt(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? pid);
}
