// Reads source files as text for the architecture test: their imports, and their code without comments and strings.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One imported module, as written. */
export interface Import {
  readonly from: string
  /** nothing of it is left when the types are removed */
  readonly typeOnly: boolean
}

export interface SourceFile {
  /** relative to the project, with forward slashes */
  readonly path: string
  readonly text: string
}

const STATEMENT = /^[ \t]*(?:import|export)\s+(type\s)?([\w*$\s{},]*?)\s*from\s*['"]([^'"]+)['"]/gm
const BARE = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g

/** All imports of a file: static, re-exported, for side effects, and dynamic. */
export function importsOf(text: string): Import[] {
  const found: Import[] = []
  for (const [, type, names = '', from = ''] of text.matchAll(STATEMENT)) {
    const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.split(',')
    const everyType = inBraces?.every((name) => name.trim() === '' || /^type\s/.test(name.trim())) ?? false
    found.push({ from, typeOnly: type !== undefined || everyType })
  }
  for (const [, from = ''] of text.matchAll(BARE)) found.push({ from, typeOnly: false })
  for (const [, from = ''] of text.matchAll(DYNAMIC)) found.push({ from, typeOnly: false })
  return found
}

const NOT_CODE = new RegExp(
  [
    /\/\*[\s\S]*?\*\//, // block comment
    /\/\/[^\n]*/, // line comment
    /'(?:[^'\\\n]|\\.)*'/,
    /"(?:[^"\\\n]|\\.)*"/,
    /`(?:[^`\\]|\\[\s\S])*`/,
    /(?<=[=(,:[!&|?{};>]\s*)\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/, // regular expression
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
)

/** The code alone: comments, strings and regular expressions become spaces; what a template computes stays. */
export const codeOf = (text: string): string =>
  text.replace(NOT_CODE, (found) =>
    found.startsWith('`') ? (found.match(/\$\{[^}]*\}/g) ?? []).join(' ') : ' ',
  )

/** All files below a folder with one of the endings, sorted by path; `folder` is relative to the working directory. */
export function filesBelow(folder: string, endings: readonly string[]): SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name).replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}
