import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.js';

const installer = fileURLToPath(new URL('image/install-postgresql.sh', import.meta.url));

/** The command prefix that makes us root for apt-get, or why there is none. */
export async function findAptPrivilege(): Promise<string[] | string> {
  const isDebianLike = await access('/etc/debian_version').then(
    () => true,
    () => false,
  );
  if (!isDebianLike) return 'this is not Debian or Ubuntu';
  if (process.getuid?.() === 0) return [];
  const sudoWorks = await runCommand('sudo', ['-n', 'true']).then(
    () => true,
    () => false,
  );
  return sudoWorks ? ['sudo', '-n'] : 'we are not root, and sudo is missing or asks for a password';
}

export async function installByApt(privilege: string[], say: (line: string) => void) {
  const [command = 'sh', ...args] = [...privilege, 'sh', installer];
  await runCommand(command, args, { env: process.env, onLine: (line) => say(`  ${line}`) });
}
