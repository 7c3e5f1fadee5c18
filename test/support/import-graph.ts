// Which file imports which, types included, and the circles in that.

import { dirname, join } from 'node:path'
import { importsOf, type SourceFile } from './source.ts'

/** The files of a project that each of its files imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** The graph of these files; what they import from elsewhere is left out. */
export function importGraphOf(files: readonly SourceFile[]): ImportGraph {
  const known = new Set(files.map(({ path }) => path))
  return new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(text)
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => join(dirname(path), from).replaceAll('\\', '/'))
        .filter((imported) => known.has(imported)),
    ]),
  )
}

/** The circles: sets of several files of which each imports each, directly or not. By Tarjan's algorithm. */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles: string[][] = []
  const numbers = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []

  function visit(file: string): void {
    numbers.set(file, numbers.size)
    let low = numbers.size - 1
    open.push(file)
    for (const imported of graph.get(file) ?? []) {
      if (!numbers.has(imported)) visit(imported)
      if (open.includes(imported)) low = Math.min(low, lowest.get(imported) ?? numbers.get(imported) ?? low)
    }
    lowest.set(file, low)
    if (low !== numbers.get(file)) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1) circles.push(circle.sort())
  }

  for (const file of graph.keys()) if (!numbers.has(file)) visit(file)
  return circles
}
