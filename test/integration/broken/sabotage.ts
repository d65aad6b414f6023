import type { DeploymentTables } from '../../../src/deployment/placeholder-values.js';

export type Place = 'work' | 'cron';

/** The names that a sabotage needs. */
export interface Names {
  readonly schema: string;
  readonly cronSchema: string;
  readonly database: string;
  /** `schema.table` of the clients' tables. */
  readonly tables: Readonly<Record<keyof DeploymentTables, string>>;
  /** The cache table of the one partition key that has one. */
  readonly cache: string;
  readonly migrator: string;
  readonly cronRole: string;
  readonly app: string;
  readonly fragmentRole: string;
  /** A role that has no part in the deployment. */
  readonly other: string;
}

type Statements = (names: Names) => readonly string[];

/**
 * What mends it, which an answer has to name: command lines; or the statements that verify prints (any other command,
 * where verify ends in an error), or doctor, run by an administrator; or `undo`, where people have to.
 */
export type Mend = readonly string[] | 'printed' | 'printed by doctor' | 'undo';

/** Something of ours that is dropped, renamed, changed or locked away by hand. */
export interface Sabotage {
  readonly name: string;
  readonly place: Place;
  readonly sql: Statements;
  /** What is at fault, as verify or a command that fails because of it has to name it. */
  readonly thing: (names: Names) => string;
  /** Default: `verify --fix`. */
  readonly mend?: Mend;
  /** A table that has the rows afterwards that it had before. */
  readonly keeps?: (names: Names) => string;
  /** Of roles, which are not put back with the database; or what people have to do. */
  readonly undo?: Statements;
}
