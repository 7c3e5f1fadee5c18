// The generator of docs/conformance.md, on a project of a few requirements and tests.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { conformance } from '../../lab/docs/conformance.ts'
import { claimsIn, shortTitle } from '../../lab/docs/proofs.ts'
import checklist from '../requirements.json' with { type: 'json' }

const LEN = (rest: string) => `[SN-LEN-${rest}]`
const ids = (name: string) => claimsIn(name).map(({ id }) => id.slice('SN-'.length))

describe('the claims in the name of a test', () => {
  it('are single ids, lists and ranges, anywhere in the name', () => {
    expect(ids(`group ${LEN('1')} does it ${LEN('2, SN-TYP-1')}`)).toEqual(['LEN-1', 'LEN-2', 'TYP-1'])
    expect(ids(`ranges ${LEN('3..5')} ${LEN('6..SN-LEN-7')}`)).toEqual([
      'LEN-3',
      'LEN-4',
      'LEN-5',
      'LEN-6',
      'LEN-7',
    ])
  })

  it('are not other brackets, nor ids without brackets', () => {
    expect(ids('see SN-LEN-1 [6.14] [R3] [AMB-2]')).toEqual([])
  })

  it('keep what is not an id, so that it is found', () => {
    expect(ids(`${LEN('x')} ${LEN('5..3')}`)).toEqual(['LEN-x', 'LEN-5..3'])
  })

  it('may be of a part', () => {
    expect(claimsIn(LEN('1 in part'))).toEqual([{ id: 'SN-LEN-1', inPart: true }])
  })

  it('are left out of the short title, which has an end', () => {
    expect(shortTitle(`accepts  any ${LEN('1')}`)).toBe('accepts any')
    expect(shortTitle('x'.repeat(200))).toHaveLength(100)
  })
})

describe('the conformance page', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'conformance-'))
    for (const folder of ['test', 'docs', '.test-results']) mkdirSync(join(root, folder))
    write('test/requirements.json', {
      families: { LEN: 'Length', MODE: 'Mode' },
      requirements: {
        'SN-LEN-1': ['A', 'S!', '5.2.1', 'counts all'],
        'SN-LEN-2': ['A', 'R', '', 'short | form'],
        'SN-LEN-3': ['A', 'S!/R', '5.2.1', 'refuses'],
        'SN-MODE-2': ['B', 'S!', '4.2', 'aggregates'],
      },
    })
    write('docs/conformance-notes.json', { 'SN-MODE-2': 'out of scope' })
    writeFileSync(join(root, 'test/a.test.ts'), '')
    writeFileSync(join(root, 'test/b.test.ts'), "import '../support/broker.ts'")
    report(
      [`first ${LEN('1')}`, `third ${LEN('1..3')}`],
      [`needs a broker ${LEN('1, SN-LEN-3')}`, `also ${LEN('1')}`],
    )
    expect(conformance(root, false)).toEqual([])
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const write = (path: string, value: unknown) => writeFileSync(join(root, path), JSON.stringify(value))
  const page = () => readFileSync(join(root, 'docs/conformance.md'), 'utf8')
  const lineOf = (id: string) =>
    page()
      .split('\n')
      .find((line) => line.startsWith(`| ${id} `))

  /** Test names of a.test.ts and b.test.ts; a name may begin with its status: `skipped: `. */
  function report(a: readonly string[], b: readonly string[] = []) {
    const results = (names: readonly string[]) =>
      names.map((name) => {
        const [, status = 'passed', title = ''] = /^(?:(skipped|failed): )?(.*)$/.exec(name) ?? []
        return { fullName: `group ${title}`, title, status, duration: Math.random() }
      })
    write('.test-results/vitest.json', {
      startTime: Date.now(),
      testResults: [
        { name: join(root, 'test/b.test.ts'), assertionResults: results(b) },
        { name: join(root, 'test/a.test.ts'), assertionResults: results(a) },
      ],
    })
  }

  it('shows each requirement with its tests, those without a broker first, three at most', () => {
    expect(lineOf('SN-LEN-1')).toBe(
      '| SN-LEN-1 | S! | 5.2.1 | counts all | `a.test.ts` first<br>`a.test.ts` third<br>`b.test.ts` also |',
    )
    expect(lineOf('SN-LEN-2')).toBe('| SN-LEN-2 | R | - | short \\| form | `a.test.ts` third |')
    expect(lineOf('SN-MODE-2')).toBe('| SN-MODE-2 | S! | 4.2 | aggregates | not done: out of scope |')
  })

  it('counts per part and kind', () => {
    expect(page()).toContain('\n| A | S! | 1 | 1 | 0 | 0 | 0 |\n')
    expect(page()).toContain('\n| B | S! | 1 | 0 | 0 | 1 | 0 |\n')
    expect(page()).toContain('\n| all | | 4 | 3 | 0 | 1 | 0 |')
  })

  it('is accepted as it was written, whatever the order and the times of the next run', () => {
    expect(conformance(root, true)).toEqual([])
    report(
      [`third ${LEN('1..3')}`, `first ${LEN('1')}`],
      [`also ${LEN('1')}`, `needs a broker ${LEN('1, SN-LEN-3')}`],
    )
    expect(conformance(root, true)).toEqual([])
  })

  it('is refused when the tests have changed', () => {
    report([`renamed ${LEN('1..3')}`])
    expect(conformance(root, true)).toEqual([expect.stringContaining('out of date')])
  })

  it('is refused when a requirement lost its proof', () => {
    report([`failed: first ${LEN('1..3')}`, `skipped: third ${LEN('2')}`, `some of it ${LEN('3 in part')}`])
    const problems = conformance(root, true)
    expect(problems).toContainEqual(expect.stringContaining('SN-LEN-1 (S!) has no test that proves it'))
    expect(problems).toContainEqual(
      expect.stringContaining('SN-LEN-3 (S!/R) has no test that proves all of it'),
    )
    expect(problems.join()).not.toContain('SN-LEN-2')
  })

  it('is refused when a test names an unknown id, or a note is wrong', () => {
    report([`first ${LEN('1..4')}`])
    write('docs/conformance-notes.json', { 'SN-MODE-2': 'no', 'SN-MODE-9': 'no', 'SN-LEN-1': 'no' })
    const problems = conformance(root, true)
    expect(problems).toContainEqual(expect.stringMatching(/a\.test\.ts.*SN-LEN-4, which does not exist/))
    expect(problems).toContainEqual(expect.stringContaining('SN-MODE-9 does not exist'))
    expect(problems).toContainEqual(expect.stringContaining('SN-LEN-1 is proved'))
  })

  it('is not made from a partial run, nor from none', () => {
    writeFileSync(join(root, 'test/c.test.ts'), '')
    expect(conformance(root, false)).toEqual([expect.stringContaining('c.test.ts')])
    rmSync(join(root, '.test-results/vitest.json'))
    expect(conformance(root, true)).toEqual([expect.stringContaining('run the tests first')])
  })
})

describe('the checklist', () => {
  it('has all 261 requirements, each with a known kind, a part, a family and a short title', () => {
    const all = Object.entries(checklist.requirements)
    expect(all).toHaveLength(261)
    for (const [id, [part, kind, , title]] of all) {
      expect(id).toMatch(/^SN-[A-Z0-9]+-\d+$/)
      expect(Object.keys(checklist.families)).toContain(id.split('-')[1])
      expect(part).toMatch(/^[ABC]$/)
      expect(kind).toMatch(/^(S[!+?]|D|R)(\/R)?$/)
      expect(title?.split(' ').length).toBeLessThanOrEqual(12)
    }
  })

  it('numbers each family from 1 without gaps', () => {
    const next: Record<string, number> = {}
    for (const id of Object.keys(checklist.requirements)) {
      const [, family = '', number] = id.split('-')
      next[family] = (next[family] ?? 0) + 1
      expect(Number(number), id).toBe(next[family])
    }
  })
})
