// Which tests prove which requirement, read from vitest's JSON report and the ids in the names of the tests.

import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

/** The part of vitest's JSON report that is used. */
export interface Report {
  readonly testResults: readonly {
    /** absolute path of the file */
    readonly name: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly title: string
      readonly status: string
    }[]
  }[]
}

/** A test that claims a requirement. */
export interface Proof {
  /** path within the project */
  readonly file: string
  readonly title: string
  /** it says itself that it covers only a part: `[SN-COD-5 in part]` */
  readonly inPart: boolean
  /** it needs a real broker, which not every machine has */
  readonly needsBroker: boolean
}

export interface Claim {
  readonly id: string
  readonly inPart: boolean
}

const BRACKETS = /\s*\[([^[\]]*\bSN-[^[\]]*)\]/g
const RANGE = /^(SN-[A-Z0-9]+-)(\d+)(?:\.\.(?:SN-[A-Z0-9]+-)?(\d+))?$/

/** The ids that a test's name claims in brackets: `[SN-LEN-1]`, `[SN-LEN-1, SN-LEN-2]`, `[SN-LEN-1..3]`. */
export function claimsIn(name: string): Claim[] {
  return [...name.matchAll(BRACKETS)].flatMap(([, inside = '']) => {
    const inPart = /\bin part\b/.test(inside)
    return inside
      .split(/[\s,;]+/)
      .filter((word) => word.startsWith('SN-'))
      .flatMap((word) => expand(word).map((id) => ({ id, inPart })))
  })
}

/** What is no id comes back as it is, so that it is reported as unknown. */
function expand(word: string): string[] {
  const [, family, first, last = first] = RANGE.exec(word) ?? []
  const length = Number(last) - Number(first) + 1
  if (family === undefined || !(length >= 1 && length <= 100)) return [word]
  return Array.from({ length }, (_, step) => `${family}${Number(first) + step}`)
}

/** A test's name without the ids, short enough for a table. */
export function shortTitle(title: string, most = 100): string {
  const plain = title.replace(BRACKETS, '').replace(/\s+/g, ' ').trim()
  return plain.length <= most ? plain : `${plain.slice(0, most - 1).trimEnd()}…`
}

/**
 * All proofs by id, in the order in which they are shown: whole before partial, those that need no broker first, then
 * by file and title. Failed tests prove nothing; skipped ones only if `countSkipped`, which stands for a machine that
 * lacks what they need.
 */
export function proofsIn(report: Report, root: string, countSkipped: boolean): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>()
  for (const { name, assertionResults } of report.testResults) {
    const needsBroker = usesBroker(name)
    for (const test of assertionResults) {
      if (test.status !== 'passed' && !(countSkipped && test.status === 'skipped')) continue
      for (const { id, inPart } of claimsIn(test.fullName)) {
        const file = relative(root, name).replaceAll('\\', '/')
        const proof = { file, title: shortTitle(test.title), inPart, needsBroker }
        const all = proofs.get(id)
        if (all === undefined) proofs.set(id, [proof])
        else all.push(proof)
      }
    }
  }
  for (const all of proofs.values()) all.sort(inOrder)
  return proofs
}

function usesBroker(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes('support/broker')
  } catch {
    return false
  }
}

const inOrder = (a: Proof, b: Proof) =>
  Number(a.inPart) - Number(b.inPart) ||
  Number(a.needsBroker) - Number(b.needsBroker) ||
  byText(a.file, b.file) ||
  byText(a.title, b.title)

// Not localeCompare: the order must not depend on the machine's language.
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
