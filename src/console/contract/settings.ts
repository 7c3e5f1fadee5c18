// What the API tells of the configuration: every key with its text, what differs from the default, and what became of a check. Types only.

/** One key. Secrets are `"***"`. */
export interface Setting {
  /** such as `broker.url` or `listeners[0].maxMessage`; an object of a list counts key by key */
  readonly path: string
  readonly value: unknown
  /** undefined: there is none */
  readonly default: unknown
  /** it differs from the default */
  readonly changed: boolean
  /** what the key means; undefined for entries of free lists */
  readonly text: string | undefined
  /** a change takes effect at the next start only */
  readonly restart: boolean
}

export interface SettingsReport {
  /** the file, undefined where the gateway runs without one, and whether it can be checked and loaded from here */
  readonly file: string | undefined
  readonly reloadable: boolean
  readonly settings: readonly Setting[]
}

/** Something that is wrong with the file. */
export interface SettingProblem {
  readonly path: string
  readonly line: number | undefined
  readonly text: string
}

/** The file on disk, compared with what is in use. */
export interface CheckReport {
  readonly valid: boolean
  readonly problems: readonly SettingProblem[]
  readonly warnings: readonly string[]
  /** paths that would change at once, and those that would wait for a start */
  readonly applied: readonly string[]
  readonly waiting: readonly string[]
}

/** What became of a reload. */
export interface ReloadAnswer extends CheckReport {
  /** ClientIds of sensors that were sent away by it, at most 1000 */
  readonly ended: readonly string[]
}
