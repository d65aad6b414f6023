/** What a step says of itself, for the report of a command that has changed something before it. */
export function ofOneStep(message: string): string {
  return message.replace(/ Nothing was changed(?: by this one)?\.(?=\n|$)/g, '');
}
