import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { intarray, roaringbitmap } from './checks/backend.js';
import { jobCapacity } from './checks/capacity.js';
import { clientFunctions } from './checks/client-functions.js';
import {
  clientSchema,
  clientSchemaClientRole,
  clientSchemaCronRole,
  clientSchemaFragmentRole,
  clientSchemaMigrator,
} from './checks/client-schema.js';
import { adminConnection, cronConnection, workConnection } from './checks/connections.js';
import { cronHistory, cronSchedule, cronUsage } from './checks/cron-grants.js';
import { cronDatabaseCreate, cronSchema } from './checks/cron-schema.js';
import { databaseIdentity } from './checks/database-identity.js';
import { superuserDefiners } from './checks/definers-of-superusers.js';
import { deploymentIdentity } from './checks/deployment-identity.js';
import { foreignFunctions } from './checks/foreign-functions.js';
import { foreignTables } from './checks/foreign-tables.js';
import { fragmentRole } from './checks/fragment-role.js';
import { jobLaunch } from './checks/job-launch.js';
import { jobLogins } from './checks/job-logins.js';
import { dblinkExtension, dblinkUsage, linkLogin } from './checks/link.js';
import { linkReaders } from './checks/link-readers.js';
import { cronMigrations, workMigrations } from './checks/migrations.js';
import { mode } from './checks/mode.js';
import { cronNameEncoding, workNameEncoding } from './checks/name-encoding.js';
import { ownTables } from './checks/own-tables.js';
import { ownTriggers } from './checks/own-triggers.js';
import { pgCronExtension, pgCronVersion } from './checks/pg-cron-extension.js';
import { pgCronDatabase, pgCronLoaded } from './checks/pg-cron-server.js';
import { readableTables } from './checks/readable-tables.js';
import { recordedPlace } from './checks/recorded-place.js';
import { clientRoleConnect, cronRoleConnect, roles } from './checks/roles.js';
import { sameCluster } from './checks/same-cluster.js';
import { cronWritable, serverVersion, workWritable } from './checks/server.js';
import { workDatabaseCreate, workSchema } from './checks/work-schema.js';
import type { DoctorCheck } from './context.js';

export interface DoctorRequest {
  readonly settings: Settings;
  readonly streams: readonly StreamName[];
}

type Applies = (request: DoctorRequest) => boolean;

/** Every check, in the order in which they run and are shown, and when it applies. */
const CHECKS: readonly (readonly [Applies, readonly DoctorCheck[]])[] = [
  [always, [mode, workConnection]],
  [forCron, [cronConnection]],
  [withAdministrator, [adminConnection]],
  [always, [serverVersion, workWritable, workNameEncoding]],
  [forCron, [cronWritable, cronNameEncoding]],
  [forCronElsewhere, [sameCluster]],
  [always, [roles, fragmentRole]],
  [forCron, [pgCronLoaded, pgCronDatabase, pgCronExtension, pgCronVersion]],
  [forCron, [cronUsage, cronSchedule, cronHistory]],
  [forCron, [cronSchema, cronDatabaseCreate, cronMigrations]],
  [
    always,
    [
      cronRoleConnect,
      workSchema,
      workMigrations,
      databaseIdentity,
      deploymentIdentity,
      recordedPlace,
    ],
  ],
  [forWork, [workDatabaseCreate, clientRoleConnect]],
  [always, [clientSchema, clientSchemaCronRole]],
  [withFragmentRole, [clientSchemaFragmentRole]],
  [forWork, [clientSchemaMigrator, clientSchemaClientRole, ownTables, ownTriggers, foreignTables]],
  [forWork, [clientFunctions, foreignFunctions, superuserDefiners]],
  [forWorkWith('array'), [intarray]],
  [forWorkWith('roaringbit'), [roaringbitmap]],
  [forLink, [dblinkExtension, dblinkUsage, linkLogin, linkReaders]],
  [forCron, [jobCapacity, jobLaunch, jobLogins]],
  [always, [readableTables]],
];

export function checksFor(request: DoctorRequest): DoctorCheck[] {
  return CHECKS.flatMap(([applies, checks]) => (applies(request) ? checks : []));
}

function always(): boolean {
  return true;
}

export function forCron({ streams }: DoctorRequest): boolean {
  return streams.includes('cron');
}

function forWork({ streams }: DoctorRequest): boolean {
  return streams.includes('work');
}

function forCronElsewhere(request: DoctorRequest): boolean {
  return forCron(request) && request.settings.mode === 'cross';
}

function forLink(request: DoctorRequest): boolean {
  return forCron(request) && request.settings.transport === 'link';
}

function forWorkWith(backend: Settings['cacheBackend']): Applies {
  return (request) => forWork(request) && request.settings.cacheBackend === backend;
}

function withFragmentRole({ settings }: DoctorRequest): boolean {
  return settings.fragmentRole !== undefined;
}

function withAdministrator(request: DoctorRequest): boolean {
  return forCron(request) && request.settings.admin !== undefined;
}
