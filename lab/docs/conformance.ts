// Writes docs/conformance.md: what the gateway fulfils of the MQTT-SN 1.2 checklist, and which tests prove it. Run the
// whole test suite first, then `npx tsx lab/docs/conformance.ts`. With --check it writes nothing and exits with 1 if
// the page is out of date or a requirement has neither proof nor reason.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Proof, proofsIn, type Report } from './proofs.ts'

/** One line of test/requirements.json. */
export type Requirement = readonly [part: string, kind: string, section: string, title: string]

export interface Checklist {
  readonly families: Readonly<Record<string, string>>
  readonly requirements: Readonly<Record<string, Requirement>>
}

/** Why an id has no test, in a person's words. */
export type Notes = Readonly<Record<string, string>>

type Status = 'proved' | 'in part' | 'not done' | 'open'

const REPORT = '.test-results/vitest.json'
const PAGE = 'docs/conformance.md'
const NOTES = 'docs/conformance-notes.json'
const TESTS_PER_ID = 3

const PARTS: Readonly<Record<string, string>> = {
  A: 'Wire format',
  B: 'Behaviour of the gateway',
  C: 'Mapping to MQTT',
}

const INTRODUCTION = `# Conformance

<!-- Written by lab/docs/conformance.ts from test/requirements.json and the results of the tests. Do not edit. -->

What the gateway fulfils of MQTT-SN 1.2, requirement by requirement, with up to ${TESTS_PER_ID} of the tests that prove it. Every
test carries the ids it proves in its name, so \`grep -rn "SN-SLP-5" test\` finds them all. The numbers under § are
sections of the specification; the titles are summaries in our own words.

| Kind | Meaning |
|---|---|
| S! | The specification requires it. |
| S+ | The specification recommends it. |
| S? | The specification allows it. |
| D | It follows from what is written, or from MQTT. |
| R | The specification leaves it open; this is the reading we chose. |
`

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`

function statusOf(id: string, proofs: ReadonlyMap<string, readonly Proof[]>, notes: Notes): Status {
  const found = proofs.get(id) ?? []
  if (found.some((proof) => !proof.inPart)) return 'proved'
  if (notes[id] !== undefined) return 'not done'
  return found.length > 0 ? 'in part' : 'open'
}

/** The page for these results. Only ids and names go in, so that it is the same on every run. */
export function renderPage(
  checklist: Checklist,
  proofs: ReadonlyMap<string, readonly Proof[]>,
  notes: Notes,
): string {
  const all = Object.entries(checklist.requirements)
  const texts = [INTRODUCTION.trimEnd(), summary(all, (id) => statusOf(id, proofs, notes))]
  for (const [part, title] of Object.entries(PARTS)) {
    if (!all.some(([, [of]]) => of === part)) continue
    texts.push(`## Part ${part}: ${title}`)
    for (const [family, name] of Object.entries(checklist.families)) {
      const lines = all
        .filter(([id, [of]]) => of === part && id.split('-')[1] === family)
        .map(([id, [, kind, section, what]]) =>
          row([id, kind, section || '-', cell(what), evidence(id, proofs, notes)]),
        )
      if (lines.length === 0) continue
      texts.push(`### ${name}`)
      texts.push(
        [row(['Id', 'Kind', '§', 'What', 'Proved by']), '|---|---|---|---|---|', ...lines].join('\n'),
      )
    }
  }
  return `${texts.join('\n\n')}\n`
}

function summary(all: readonly (readonly [string, Requirement])[], status: (id: string) => Status): string {
  const groups = new Map<string, Status[]>()
  for (const [id, [part, kind]] of all) {
    for (const key of [`${part} | ${kind}`, 'all | '])
      groups.set(key, [...(groups.get(key) ?? []), status(id)])
  }
  const count = (of: readonly Status[], wanted: Status) => of.filter((one) => one === wanted).length
  const lines = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, of]) =>
      row([
        key.trimEnd(),
        of.length,
        count(of, 'proved'),
        count(of, 'in part'),
        count(of, 'not done'),
        count(of, 'open'),
      ]),
    )
  return [
    row(['Part', 'Kind', 'Requirements', 'Proved', 'In part', 'Not done', 'No test']),
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}

function evidence(id: string, proofs: ReadonlyMap<string, readonly Proof[]>, notes: Notes): string {
  const shown = (proofs.get(id) ?? [])
    .slice(0, TESTS_PER_ID)
    .map(
      (proof) =>
        `\`${proof.file.replace(/^test\//, '')}\` ${cell(proof.title)}${proof.inPart ? ' (in part)' : ''}`,
    )
  const note = notes[id] === undefined ? [] : [`not done: ${cell(notes[id])}`]
  const lines = [...note, ...shown]
  return lines.length === 0 ? 'no test' : lines.join('<br>')
}

/** Everything that is wrong with claims and notes, apart from the page itself. */
export function problemsIn(
  checklist: Checklist,
  proofs: ReadonlyMap<string, readonly Proof[]>,
  notes: Notes,
): string[] {
  const known = checklist.requirements
  const problems: string[] = []
  for (const [id, found] of proofs) {
    if (!(id in known))
      problems.push(`${found[0]?.file}: "${found[0]?.title}" names ${id}, which does not exist`)
  }
  for (const id of Object.keys(notes)) {
    if (!(id in known)) problems.push(`${NOTES}: ${id} does not exist`)
    else if (statusOf(id, proofs, notes) === 'proved')
      problems.push(`${NOTES}: ${id} is proved, remove the note`)
  }
  for (const [id, [, kind]] of Object.entries(known)) {
    const status = statusOf(id, proofs, notes)
    if (/S!|S\+|D/.test(kind) && (status === 'open' || status === 'in part')) {
      problems.push(
        `${id} (${kind}) has no test that proves ${status === 'open' ? 'it' : 'all of it'}, and no note`,
      )
    }
  }
  return problems
}

/** Test files that the report does not know: it is of a partial run. */
function missingFrom(report: Report, root: string): string[] {
  const ran = new Set(report.testResults.map(({ name }) => resolve(name)))
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !ran.has(resolve(root, 'test', path)))
    .sort()
}

/** Whether a program of that name can be run here; Debian keeps some where only root's PATH looks. */
function hasProgram(name: string): boolean {
  const { PATH = '' } = process.env
  return [...PATH.split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, name)))
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** Writes or checks the page of the project in `root`; returns what is wrong. */
export function conformance(root: string, checkOnly: boolean): string[] {
  if (!existsSync(join(root, REPORT))) return [`there is no ${REPORT}: run the tests first`]
  const report = readJson(join(root, REPORT)) as Report
  const missing = missingFrom(report, root)
  if (missing.length > 0)
    return [`${REPORT} is of a partial run, without ${missing.join(', ')}: run all tests`]
  const checklist = readJson(join(root, 'test/requirements.json')) as Checklist
  const notes = readJson(join(root, NOTES)) as Notes
  // Without these programs some tests are skipped; their claims still stand, they are proved where the programs are.
  const countSkipped = !['mosquitto', 'openssl', 'tshark'].every(hasProgram)
  const proofs = proofsIn(report, root, countSkipped)
  const page = renderPage(checklist, proofs, notes)
  const path = join(root, PAGE)
  if (!checkOnly) {
    writeFileSync(path, page)
    return []
  }
  const problems = problemsIn(checklist, proofs, notes)
  if (!existsSync(path) || readFileSync(path, 'utf8') !== page) {
    problems.push(`${PAGE} is out of date: run npm test, then npx tsx lab/docs/conformance.ts`)
  }
  return problems
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const problem of conformance(process.cwd(), process.argv.includes('--check'))) {
    console.error(problem)
    process.exitCode = 1
  }
}
