// What differs between two configurations: paths alone, never values, which may be secrets. Pure.

import { isObject, type Path } from './reading/path.ts'

/** The paths at which the trees differ, in the order of the first; where one has nothing, the path that is missing there. */
export function differences(a: unknown, b: unknown, path: Path = []): Path[] {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.max(a.length, b.length)
    return Array.from({ length }, (_, i) => differences(a[i], b[i], [...path, i])).flat()
  }
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    return [...keys].flatMap((key) => differences(own(a, key), own(b, key), [...path, key]))
  }
  return Object.is(a, b) ? [] : [path]
}

const own = (object: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined
