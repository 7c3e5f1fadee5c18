// Writes npm-shrinkwrap.json: what npm shall install below this package, in the very versions that were tested. It runs when the
// package is packed (`prepack`), and the file is deleted afterwards: npm would prefer it to package-lock.json in a clone.
//
// It is package-lock.json without the tools for developers. npm installs all that a shrinkwrap names, whoever it is for and
// whatever system: with the tools it would be gigabytes.

import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The lock of a clone, reduced to what runs. */
export function shrinkwrapOf<T extends Lock>(lock: T): T {
  const packages = Object.entries(lock.packages)
    .filter(([, { dev, devOptional }]) => dev !== true && devOptional !== true)
    .map(([path, { devDependencies: _, funding: __, ...entry }]) => [path, entry])
  return { ...lock, packages: Object.fromEntries(packages) }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock
  writeFileSync('npm-shrinkwrap.json', `${JSON.stringify(shrinkwrapOf(lock))}\n`)
}
