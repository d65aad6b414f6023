import { createHash } from 'node:crypto';
import { NAME_MAX_BYTES } from './names.js';

const HASH_DIGITS = 8;

/** A deployment's schema in the cron database, which many work databases may share. */
export function cronSchemaName(schema: string, workDatabase: string): string {
  const full = `${schema}_${workDatabase}`;
  // node-pg-migrate puts the schema name into its SQL verbatim.
  const plain = full.replace(/["'\\]/g, '_');
  if (plain === full && Buffer.byteLength(full) <= NAME_MAX_BYTES) return full;
  const hash = createHash('sha256').update(full).digest('hex').slice(0, HASH_DIGITS);
  return `${firstBytes(plain, NAME_MAX_BYTES - HASH_DIGITS - 1)}_${hash}`;
}

function firstBytes(text: string, bytes: number): string {
  // In stream mode, the decoder holds back a character that was cut in two.
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
