// node --import …/note-loaded.js <program> appends the URLs of all modules that the program loads to the file that
// NOTE_LOADED names. Not TypeScript: the program's own Node runs it.
import { appendFileSync } from 'node:fs';
import Module, { register } from 'node:module';
import { pathToFileURL } from 'node:url';

const hooks = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.NOTE_LOADED, url + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

// What CommonJS modules require of each other does not pass the hooks.
process.on('exit', () => {
  const urls = Object.keys(Module._cache).map((file) => pathToFileURL(file).href);
  appendFileSync(process.env.NOTE_LOADED, urls.map((url) => `${url}\n`).join(''));
});
