import type { ClientBase, Connection, Submittable } from 'pg';

/**
 * Adds a row of texts to a table, whose columns these are, without a trace of the texts elsewhere: what a
 * server logs or counts are statements with their parameters, and this is neither. In binary, since the
 * context of an error quotes the line of the other formats.
 */
export function copyRow(
  client: ClientBase,
  table: string,
  texts: readonly (string | undefined)[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(
      new CopyIn(`COPY ${table} FROM STDIN (FORMAT binary)`, binaryRow(texts), (error) =>
        error === undefined ? resolve() : reject(error),
      ),
    );
  });
}

/** The messages that @types/pg leaves out. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** A query to pg's Client, which calls these methods as the server answers. */
class CopyIn implements Submittable {
  readonly #statement: string;
  readonly #data: Buffer;
  readonly #done: (error?: Error) => void;

  constructor(statement: string, data: Buffer, done: (error?: Error) => void) {
    this.#statement = statement;
    this.#data = data;
    this.#done = done;
  }

  submit(connection: Connection): void {
    connection.query(this.#statement);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#done();
  }

  handleError(error: Error): void {
    this.#done(error);
  }
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const NO_FLAGS_NO_EXTENSION = Buffer.alloc(8);
const END = int16(-1);
const NULL = int32(-1);

function binaryRow(texts: readonly (string | undefined)[]): Buffer {
  return Buffer.concat([
    SIGNATURE,
    NO_FLAGS_NO_EXTENSION,
    int16(texts.length),
    ...texts.flatMap(field),
    END,
  ]);
}

function field(text: string | undefined): Buffer[] {
  if (text === undefined) return [NULL];
  const bytes = Buffer.from(text);
  return [int32(bytes.length), bytes];
}

function int16(number: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(number);
  return buffer;
}

function int32(number: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(number);
  return buffer;
}
