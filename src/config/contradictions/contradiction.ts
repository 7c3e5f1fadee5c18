// A contradiction between values: where it is reported, and what it depends on.

import type { Path } from '../reading/path.ts'

/** A contradiction. The first path is where it is reported, all paths are what it depends on. */
export interface Contradiction {
  readonly about: readonly [Path, ...Path[]]
  readonly found: string
  readonly expected: string
}
