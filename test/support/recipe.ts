// The pages of docs/recipes: the programs and configurations in them, and running a program as its reader would.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { Inbox } from './inbox.ts'

const FOLDER = 'docs/recipes'

/** All pages. */
export const recipePages = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(FOLDER, name))

export const readPage = (name: string): string => readFileSync(join(FOLDER, `${name}.md`), 'utf8')

/** The code blocks of a language. */
export const blocksOf = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code)

/** A program of a page with some of its values replaced; each must be there. */
export function programOf(
  name: string,
  language: string,
  values: Readonly<Record<string, string>> = {},
): string {
  let [program = ''] = blocksOf(readPage(name), language)
  for (const [from, to] of Object.entries(values)) {
    if (!program.includes(from)) throw new Error(`${name}.md: its program has no ${from}`)
    program = program.replace(from, to)
  }
  return program
}

/** Whether a program is installed. */
export function isInstalled(program: string, ...question: string[]): boolean {
  try {
    execFileSync(program, question.length > 0 ? question : ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A folder that is removed when the test ends, with one file in it; gives the file's path. */
export function fileInFolder(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-recipe-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** Compiles, with all warnings as errors; gives the program's path. */
export function compile(compiler: string, source: string, ...options: string[]): string {
  const program = source.replace(/\.\w+$/, '')
  execFileSync(
    compiler,
    ['-Wall', '-Wextra', '-Werror', '-O1', source, ...options, '-o', program].map(String),
    {
      encoding: 'utf8',
    },
  )
  return resolve(program)
}

/** A running program, and the lines that it prints. */
export interface Running {
  readonly child: ChildProcess
  readonly lines: Inbox<string>
  /** its exit code */
  readonly ended: Promise<number | null>
}

/** Starts a program, which is killed when the test ends. */
export function start(program: string, ...words: string[]): Running {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = new Inbox<string>()
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = `${rest}${chunk}`.split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) lines.put(line)
  })
  const ended = new Promise<number | null>((done) => child.on('close', done))
  return { child, lines, ended }
}
