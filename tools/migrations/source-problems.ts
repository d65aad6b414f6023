import { changedRoutines, type RoutineChange, UNEXPLAINED } from './next-pair.js';
import { pinnedState } from './pinned-state.js';
import { droppedIn, pinsOf } from './pins.js';
import { checksumsOf, type Released } from './released.js';
import { dropStatements, isReplaceable, type Routine, revokeStatements } from './routine.js';
import { filesOf, folders, type StreamSource } from './stream-source.js';

/** What must be put right before the migrations can be merged or released, one sentence each; none is good. */
export function sourceProblems(sources: readonly StreamSource[], released: Released): string[] {
  return [
    ...releasedProblems(sources, released),
    ...sources.flatMap((source) => [
      ...orderProblems(source, released),
      ...changedRoutines(source).map((change) => staleProblem(source, change)),
      ...downProblems(source),
      ...replacementProblems(source),
      ...unexplained(source),
    ]),
  ];
}

function releasedProblems(sources: readonly StreamSource[], released: Released): string[] {
  const present = checksumsOf(sources);
  return [...released.checksums].flatMap(([file, sum]) => {
    const now = present.get(file);
    if (now === sum) return [];
    return now === undefined
      ? [`${file} is released and gone: bring it back. What was deployed must stay reproducible.`]
      : [
          `${file} is released and has changed (${sum} was released, ${now} is here): restore it, and change things in a new migration.`,
        ];
  });
}

function orderProblems({ stream, migrations }: StreamSource, released: Released): string[] {
  const isReleased = ({ name }: { name: string }) =>
    released.checksums.has(filesOf(stream, name).up);
  const last = migrations.findLastIndex(isReleased);
  return migrations
    .slice(0, Math.max(last, 0))
    .filter((migration) => !isReleased(migration))
    .map(
      ({ name }) =>
        `${filesOf(stream, name).up} is not released, but ${migrations[last]?.name} after it is: give it the next free number.`,
    );
}

function staleProblem({ stream }: StreamSource, { name, before, after }: RoutineChange): string {
  const file = `${folders[stream].routines}/${name}.sql`;
  const remedy =
    'Run: npm run migration (or, once that text is released: npm run migration -- <name>).';
  if (after === undefined)
    return `${file} is gone, but the migrations still create ${name}. Run: npm run migration -- <name> (or take it out of an unreleased migration by hand).`;
  return before === undefined
    ? `${file} is in no migration. ${remedy}`
    : `${file} differs from the text that the migrations pin last. ${remedy}`;
}

function downProblems({ stream, migrations }: StreamSource): string[] {
  return migrations.flatMap(({ name, up, down }, index) => {
    const before = pinnedState(migrations.slice(0, index));
    const restored = pinsOf(down);
    const file = filesOf(stream, name).down;
    return [
      ...[...restored]
        .filter(([routine, text]) => before.get(routine)?.text !== text)
        .map(
          ([routine]) =>
            `${file} restores another text of ${routine} than the migrations before it had.`,
        ),
      ...[...pinsOf(up).keys(), ...droppedIn(up)]
        .filter((routine) => before.has(routine) && !restored.has(routine))
        .map((routine) => `${file} does not restore ${routine}, which its up changes.`),
    ];
  });
}

/** What CREATE OR REPLACE cannot do has to come before the pin, in either direction. */
function replacementProblems({ stream, migrations }: StreamSource): string[] {
  return migrations.flatMap(({ name, up, down }, index) => {
    const state = pinnedState(migrations.slice(0, index));
    const files = filesOf(stream, name);
    return [...pinsOf(up)].flatMap(([routine, text]) => {
      const before = state.get(routine);
      if (before === undefined) return [];
      const after = { name: routine, text };
      return [
        ...missingFrom(files.up, up, makingWay(before, after)),
        ...missingFrom(files.down, down, makingWay(after, before)),
      ];
    });
  });
}

function makingWay(before: Routine, after: Routine): string[] {
  return isReplaceable(before, after) ? revokeStatements(before, after) : dropStatements(before);
}

function missingFrom(file: string, script: string, statements: readonly string[]): string[] {
  return statements
    .filter((statement) => !script.includes(statement))
    .map(
      (statement) =>
        `${file} lacks "${statement}": delete the pair and write it again with npm run migration -- <name>.`,
    );
}

function unexplained({ stream, migrations }: StreamSource): string[] {
  return migrations.flatMap(({ name, up, down }) => {
    const files = filesOf(stream, name);
    return [
      ...(up.includes(UNEXPLAINED) ? [`${files.up} does not say why.`] : []),
      ...(down.includes(UNEXPLAINED) ? [`${files.down} does not say why.`] : []),
    ];
  });
}
