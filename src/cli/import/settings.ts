// What stands in the configuration of another gateway, setting by setting, and which of it was used: the rest is reported.

/** Something that cannot be imported; the message names the file and says why. */
export class ImportError extends Error {}

/** A file that was read, or given as text. */
export interface SourceFile {
  readonly name: string
  readonly text: string
}

/** One setting, and where it stands. */
export interface Setting {
  /** its name, levels divided by dots */
  readonly key: string
  readonly value: string
  /** file and line, or a flag, or a variable of the environment */
  readonly place: string
}

/** Settings, each to be taken once. What nobody takes is left over, so that nothing is lost silently. */
export class Settings {
  readonly #left: Map<string, Setting[]>

  constructor(settings: readonly Setting[]) {
    this.#left = new Map()
    for (const setting of settings) {
      const same = this.#left.get(setting.key)
      if (same) same.push(setting)
      else this.#left.set(setting.key, [setting])
    }
  }

  /** All settings of this name, in their order. */
  takeAll(key: string): readonly Setting[] {
    const found = this.#left.get(key) ?? []
    this.#left.delete(key)
    return found
  }

  /** The setting of this name that counts: the first, or the last where later ones replace earlier ones. */
  take(key: string, which: 'first' | 'last' = 'last'): Setting | undefined {
    const found = this.#left.get(key)
    const setting = which === 'last' ? found?.pop() : found?.shift()
    if (found?.length === 0) this.#left.delete(key)
    return setting
  }

  /** Takes what is below a name. */
  takeBelow(key: string): readonly Setting[] {
    return this.left(key).flatMap(({ key: below }) => this.takeAll(below))
  }

  /** The names one level below a name, in their order; of settings not yet taken. */
  names(key: string): string[] {
    const start = `${key}.`
    const below = [...this.#left.keys()].filter((one) => one.startsWith(start))
    return [...new Set(below.map((one) => one.slice(start.length).split('.')[0] ?? ''))]
  }

  /** What was not taken, of everything or of a name and what is below it. */
  left(key?: string): readonly Setting[] {
    return [...this.#left]
      .filter(([one]) => key === undefined || one === key || one.startsWith(`${key}.`))
      .flatMap(([, settings]) => settings)
  }
}
