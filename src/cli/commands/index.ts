import type { ListedCommand } from '../command.js';

/** In the order of the help. Only the one that is asked for is loaded: most load everything that talks to a server. */
export const commands: readonly ListedCommand[] = [
  {
    name: 'setup',
    summary: 'Deploy both databases and configure one processor',
    load: async () => (await import('./setup.js')).setupCommand,
  },
  {
    name: 'plan',
    summary: 'Show what up, or down, would do: SQL, diffs, locks, jobs, and a hash to approve',
    load: async () => (await import('./plan.js')).planCommand,
  },
  {
    name: 'up',
    summary: 'Apply the pending migrations, work first, then cron, and bring the jobs up to date',
    load: async () => (await import('./up.js')).upCommand,
  },
  {
    name: 'down',
    summary: 'Undo the last release, in both databases, or go back further',
    load: async () => (await import('./down.js')).downCommand,
  },
  {
    name: 'status',
    summary: 'Show what is deployed, pending and scheduled, and how the jobs fare',
    load: async () => (await import('./status.js')).statusCommand,
  },
  {
    name: 'fleet',
    summary: 'Show all deployments whose jobs the cron role has in this pg_cron',
    load: async () => (await import('./fleet.js')).fleetCommand,
  },
  {
    name: 'history',
    summary: 'List the releases: each run of up that changed something or failed to',
    load: async () => (await import('./history.js')).historyCommand,
  },
  {
    name: 'pause',
    summary: 'Stop all processing of the work database at once, until resume',
    load: async () => (await import('./pause.js')).pauseCommand,
  },
  {
    name: 'resume',
    summary: 'End a pause: what is enabled is processed again',
    load: async () => (await import('./resume.js')).resumeCommand,
  },
  {
    name: 'sync',
    summary: 'Make the jobs of pg_cron those that the configuration asks for',
    load: async () => (await import('./sync.js')).syncCommand,
  },
  {
    name: 'mode single',
    summary: 'Take the jobs to the pg_cron of the work database',
    load: async () => (await import('./mode.js')).modeSingleCommand,
  },
  {
    name: 'mode cross',
    summary: 'Take the jobs to the pg_cron of another database, or change the transport',
    load: async () => (await import('./mode.js')).modeCrossCommand,
  },
  {
    name: 'verify',
    summary: 'Compare both databases with what the releases left, and restore it',
    load: async () => (await import('./verify.js')).verifyCommand,
  },
  {
    name: 'adopt',
    summary: "Take over a work database that moved, or a set-up of PartitionCache's own tool",
    load: async () => (await import('./adopt.js')).adoptCommand,
  },
  {
    name: 'prune',
    summary: 'Remove what dropped work databases left behind in the pg_cron database',
    load: async () => (await import('./prune.js')).pruneCommand,
  },
  {
    name: 'processor status',
    summary: 'Show the processors, the queue, what runs now, how fast, and what fails',
    positionals: ['name'],
    load: async () => (await import('./processor-status.js')).processorStatusCommand,
  },
  {
    name: 'processor set',
    summary: 'Change a processor; running ones follow within about a second',
    positionals: ['name'],
    load: async () => (await import('./processor-set.js')).processorSetCommand,
  },
  {
    name: 'processor enable',
    summary: 'Let a processor work on the queue',
    positionals: ['name'],
    load: async () => (await import('./processor-enable.js')).processorEnableCommand,
  },
  {
    name: 'processor disable',
    summary: 'Stop a processor: it claims no further batch; what is queued stays',
    positionals: ['name'],
    load: async () => (await import('./processor-disable.js')).processorDisableCommand,
  },
  {
    name: 'processor add',
    summary: 'Create a further processor of the same queue',
    positionals: ['name'],
    load: async () => (await import('./processor-add.js')).processorAddCommand,
  },
  {
    name: 'processor remove',
    summary: 'Remove a processor and its jobs; what is queued and cached stays',
    positionals: ['name'],
    load: async () => (await import('./processor-remove.js')).processorRemoveCommand,
  },
  {
    name: 'processor run',
    summary: 'Work on queued fragments now, in this session, without pg_cron',
    positionals: ['name'],
    load: async () => (await import('./processor-run.js')).processorRunCommand,
  },
  {
    name: 'processor retry',
    summary: 'Put fragments that failed or timed out back into the queue, due at once',
    load: async () => (await import('./processor-retry.js')).processorRetryCommand,
  },
  {
    name: 'export',
    summary: 'Print all settings of the processors as JSON, for import',
    load: async () => (await import('./export.js')).exportCommand,
  },
  {
    name: 'import',
    summary: 'Take over the settings that export has printed, here or elsewhere',
    positionals: ['file'],
    load: async () => (await import('./import.js')).importCommand,
  },
  {
    name: 'config',
    summary: 'Show the configuration and where each value comes from, secrets masked',
    load: async () => (await import('./config.js')).configCommand,
  },
  {
    name: 'doctor',
    summary: 'Check versions, pg_cron, logins and permissions, with the lines that fix what fails',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
];

/** What the first word of a command of two words stands for. */
export const groups = {
  mode: 'Take the jobs to the pg_cron that the settings name, on a live system',
  processor: 'Show, change or run the processors of the queue, retry what failed',
} as const;
