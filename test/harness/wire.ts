// As much of PostgreSQL's wire protocol (version 3) as it takes to tell statements apart.

/** Calls `take` for each message in turn, however the bytes arrive, and waits for it before the next. */
export function frameReader(
  take: (frame: Buffer) => Promise<unknown>,
  { startsUntyped = false } = {},
): (data: Buffer) => Promise<void> {
  let rest = Buffer.alloc(0);
  let untyped = startsUntyped;
  let last = Promise.resolve();
  const takeAll = async (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const length = lengthOf(rest, untyped);
      if (length === undefined || rest.length < length) return;
      const frame = rest.subarray(0, length);
      rest = rest.subarray(length);
      untyped = false;
      await take(frame);
    }
  };
  return (data) => {
    last = last.then(() => takeAll(data));
    return last;
  };
}

// The first message of a client has no letter before its length.
function lengthOf(data: Buffer, untyped: boolean): number | undefined {
  const offset = untyped ? 0 : 1;
  return data.length < offset + 4 ? undefined : data.readInt32BE(offset) + offset;
}

const PROTOCOL_3 = 196608;

export function isStartup(frame: Buffer): boolean {
  return frame[0] === 0 && frame.readInt32BE(4) === PROTOCOL_3;
}

export function startupOf(frame: Buffer): { user: string; database: string } {
  const words = frame.subarray(8).toString().split('\0');
  const parameter = (name: string) => words[words.indexOf(name) + 1] ?? '';
  return { user: parameter('user'), database: parameter('database') };
}

/** Of a Query or a Parse. */
export function textOf(frame: Buffer): string | undefined {
  const words = frame.subarray(5).toString().split('\0');
  switch (frame[0]) {
    case 0x51:
      return words[0];
    case 0x50:
      return words[1];
    default:
      return undefined;
  }
}

/** Whether the server answers this with ReadyForQuery: Query or Sync. */
export function isQueryEnd(frame: Buffer): boolean {
  return frame[0] === 0x51 || frame[0] === 0x53;
}

export function queryMessage(text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
