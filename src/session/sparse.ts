// Collections that stay empty for most sensors: they have no table before the first entry. Pure.

/** A Map whose table is made at the first `set`; an empty Map would cost 180 octets, and a session has ten of them. */
export class SparseMap<K, V> {
  #map: Map<K, V> | undefined

  get size(): number {
    return this.#map?.size ?? 0
  }

  has(key: K): boolean {
    return this.#map?.has(key) ?? false
  }

  get(key: K): V | undefined {
    return this.#map?.get(key)
  }

  set(key: K, value: V): void {
    this.#map ??= new Map()
    this.#map.set(key, value)
  }

  delete(key: K): boolean {
    return this.#map?.delete(key) ?? false
  }

  clear(): void {
    this.#map?.clear()
    this.#map = undefined
  }

  values(): Iterable<V> {
    return this.#map?.values() ?? none
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    return this.#map?.entries() ?? none.values()
  }
}

/** A Set in the same manner. */
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
