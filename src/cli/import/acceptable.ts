// Leaves out of a draft what this gateway would refuse, and says so: what is written in the end can always be used.

import { ConfigError, loadConfig } from '../../config/load.ts'
import { certificateProblems } from '../../config/reading/certificates.ts'
import { isObject } from '../../config/reading/path.ts'
import { type Problem, problemText } from '../../config/reading/problems.ts'
import type { Draft, Tree } from './draft.ts'

/** Rounds of leaving out; each takes at least one thing out, and what depends on it shows in the next. */
const ROUNDS = 20

/** The names and list positions of a path as `pathText` writes it. */
const partsOf = (path: string): string[] =>
  [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => quoted ?? index ?? name ?? '',
  )

/**
 * How much goes with a value that is wrong. A rule or listener goes as a whole where it would else hold for more sensors
 * than it did: without its pattern, its networks or its address.
 */
function unitOf(path: string): string[] {
  const parts = partsOf(path)
  const [section, , key] = parts
  if (section === 'sensors' && (key === undefined || ['match', 'from', 'deny'].includes(key)))
    return parts.slice(0, 2)
  if (section === 'predefined') return parts.slice(0, key === 'topics' ? 4 : 2)
  if (section !== 'listeners') return parts
  return parts.slice(0, ['url', 'allow', 'deny', 'forwarders'].includes(key ?? 'url') ? 2 : 3)
}

function remove(tree: Tree, [part, ...rest]: string[]): boolean {
  if (part === undefined) return false
  const inner = tree[part]
  if (rest.length > 0 && (isObject(inner) || Array.isArray(inner))) {
    if (remove(inner as Tree, rest)) return true
    return false
  }
  if (Array.isArray(tree)) return tree.splice(Number(part), 1).length > 0
  if (!Object.hasOwn(tree, part)) return false
  delete tree[part]
  return true
}

/** The draft's problems. `plain` gives the tree with references instead of secrets, and the environment they need. */
function problemsOf(plain: () => { tree: Tree; env: Record<string, string> }): readonly Problem[] {
  const { tree, env } = plain()
  try {
    return certificateProblems(loadConfig({ env, overrides: tree }).config)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** Leaves out what would be refused. */
export function leaveOutRefused(
  draft: Draft,
  plain: () => { tree: Tree; env: Record<string, string> },
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const problems = problemsOf(plain)
    if (problems.length === 0) return
    // from the end of lists to their beginning, so that positions stay true
    const units = new Map(problems.map((problem) => [JSON.stringify(unitOf(problem.path)), problem] as const))
    const inOrder = [...units].sort(([a], [b]) => b.localeCompare(a, 'en', { numeric: true }))
    let removed = 0
    for (const [unit, problem] of inOrder) {
      const parts: string[] = JSON.parse(unit)
      // what lay in something that went a moment ago is gone already
      if (remove(draft.tree, parts)) removed++
      const { source: _, ...words } = problem
      draft.note(parts.join('.'), `left out, since this gateway would refuse it: ${problemText(words)}`)
    }
    // a problem of something that is not there: its whole section goes
    if (removed > 0) continue
    const sections = inOrder.map(([unit]) => (JSON.parse(unit) as string[]).slice(0, 1))
    if (!sections.some((section) => remove(draft.tree, section)))
      throw new Error(`nothing to leave out: ${problems.map(problemText).join('; ')}`)
  }
}
