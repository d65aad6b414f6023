import { describeLockHolder } from '../../database/advisory-lock.js';
import { runText } from '../../operations/drain-runs.js';
import type { ProgressEvent } from '../json-shape.js';
import type { World } from '../world.js';
import type { Printer } from './printer.js';
import { progressLines } from './progress.js';
import type { Style } from './style.js';
import { counted } from './text.js';

/** Says what goes on while a command runs. */
export type Tell = (event: ProgressEvent) => void;

/** As lines on stderr. */
export function tellPeople(printer: Printer, world: World, style: Style): Tell {
  const lineOf = progressLines({
    terminal: style.terminal && world.env.TERM !== 'dumb',
    columns: () => world.stderr.columns,
    now: world.now,
  });
  return (event) => {
    if (event.event !== 'migration') {
      printer.log(style.dim(textOf(event)));
      return;
    }
    const line = lineOf(event);
    if (line) printer.progress({ ...line, text: style.dim(line.text) });
  };
}

/** As lines of JSON on stdout. */
export function tellPrograms(printer: Printer, now: () => Date): Tell {
  return (event) => printer.jsonLine({ ...event, time: now() });
}

function textOf(event: Exclude<ProgressEvent, { event: 'migration' }>): string {
  switch (event.event) {
    case 'log':
      return event.message;
    case 'waiting-for-lock': {
      const who = event.holder === undefined ? '' : ` (${describeLockHolder(event.holder)})`;
      return `Waiting up to ${event.waitSeconds} s for another run of pcache-migrate${who} …`;
    }
    case 'waiting-for-runs': {
      const which = `${counted(event.runs.length, 'run')}${event.cancelled ? ', now cancelled,' : ''} to end`;
      return `Waiting up to ${event.waitSeconds} s for ${which}: ${event.runs.map(runText).join(', ')} …`;
    }
  }
}
