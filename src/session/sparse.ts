// Collections that stay empty, or nearly so, for most sensors: they have no table before they need one. Pure.

/**
 * A Map whose table is made at the second entry: an empty Map would cost 180 octets, and a session has ten of them. One entry is kept
 * here; a Map that is filled and emptied again and again, as with each message, makes a new table each time. What is added while
 * it is walked through may be left out of that walk.
 */
export class SparseMap<K extends number | string, V> {
  /** the only entry; undefined: there is none, or there is a table */
  #key: K | undefined
  #value: V | undefined
  #map: Map<K, V> | undefined

  get size(): number {
    if (this.#map !== undefined) return this.#map.size
    return this.#key === undefined ? 0 : 1
  }

  has(key: K): boolean {
    return this.#map === undefined ? this.#key === key : this.#map.has(key)
  }

  get(key: K): V | undefined {
    if (this.#map !== undefined) return this.#map.get(key)
    return this.#key === key ? this.#value : undefined
  }

  set(key: K, value: V): void {
    if (this.#map === undefined) {
      if (this.#key === undefined || this.#key === key) {
        this.#key = key
        this.#value = value
        return
      }
      this.#map = new Map<K, V>().set(this.#key, this.#value as V)
      this.#key = this.#value = undefined
    }
    this.#map.set(key, value)
  }

  delete(key: K): boolean {
    if (this.#map === undefined) {
      if (this.#key !== key) return false
      this.#key = this.#value = undefined
      return true
    }
    const isDeleted = this.#map.delete(key)
    if (this.#map.size === 0) this.#map = undefined
    return isDeleted
  }

  clear(): void {
    this.#map?.clear()
    this.#map = this.#key = this.#value = undefined
  }

  values(): Iterable<V> {
    if (this.#map !== undefined) return this.#map.values()
    return this.#key === undefined ? none : [this.#value as V]
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    if (this.#map !== undefined) return this.#map.entries()
    const entries: [K, V][] = this.#key === undefined ? [] : [[this.#key, this.#value as V]]
    return entries.values()
  }
}

/** A Set whose table is made at the first `add`. */
export class SparseSet<T> {
  #set: Set<T> | undefined

  get size(): number {
    return this.#set?.size ?? 0
  }

  has(value: T): boolean {
    return this.#set?.has(value) ?? false
  }

  add(value: T): void {
    this.#set ??= new Set()
    this.#set.add(value)
  }

  delete(value: T): boolean {
    return this.#set?.delete(value) ?? false
  }

  clear(): void {
    this.#set?.clear()
    this.#set = undefined
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#set?.values() ?? none.values()
  }
}

const none: readonly never[] = []
