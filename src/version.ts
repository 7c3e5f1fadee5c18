// The version in package.json, which stands two folders above the compiled file and one above the source.

import { readFileSync } from 'node:fs'

/** The program's version, `unknown` if its package.json is not there. */
export function version(): string {
  for (const path of ['../../package.json', '../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {} // the other place
  }
  return 'unknown'
}
