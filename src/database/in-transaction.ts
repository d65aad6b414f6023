import type { ClientBase } from 'pg';

/** Commits what `use` did, or rolls it back and raises what `use` raised. */
export async function inTransaction<T>(client: ClientBase, use: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await use();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // Only the first error matters; the connection may be gone as well.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
