import { type BundledPackage, nameAndVersion } from './bundled-packages.js';

const LINE = '-'.repeat(72);

export function licencesText(packages: readonly BundledPackage[]): string {
  return [
    'The code of these packages is part of pcache-migrate, under the licences of their authors.\n',
    ...packages.map(
      (one) =>
        `${LINE}\n${nameAndVersion(one)} (${one.licence}, ${one.author})\n\n${one.text ?? ''}\n`,
    ),
  ].join('\n');
}

/** `<name>@<version>` of the packages that such a text is about. */
export function licensedPackages(text: string): string[] {
  return [...text.matchAll(/^-{72}\n(\S+@\S+) \(/gm)].map(([, name = '']) => name);
}
