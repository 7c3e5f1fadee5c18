// A shell with a network and processes of its own, in which the commands of a page are run one block after the other, as they stand there.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { until } from './gateway.ts'

/** All of it ends with the shell, whatever it has started. */
const APART = ['--net', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc']

/** Whether there can be one: that takes root. */
export const hasShells = spawnSync('unshare', [...APART, 'ip', 'link', 'set', 'lo', 'up']).status === 0

/** What a block has said. */
export interface Said {
  /** exit code of its last command */
  readonly code: number
  readonly text: string
}

export class PageShell {
  readonly folder: string
  readonly #child: ChildProcess
  #text = ''
  #blocks = 0

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (piece: Buffer) => {
        this.#text += piece
      })
    }
  }

  /** In an empty folder that goes with the test. `programs`: found before all others, each a line of a shell; `variables`: of the environment. */
  static open(
    programs: Readonly<Record<string, string>>,
    variables: Readonly<Record<string, string>> = {},
  ): PageShell {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-page-'))
    // for servers that run as somebody else
    chmodSync(folder, 0o777)
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    for (const [name, line] of Object.entries(programs))
      writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
    const env = { PATH: `${bin}:${process.env['PATH']}`, LANG: 'C.UTF-8', HOME: folder, ...variables }
    const child = spawn('unshare', [...APART, 'bash', '--noprofile', '--norc'], { cwd: folder, env })
    child.stdin?.write('ip link set lo up\numask 000\n')
    onTestFinished(async () => {
      const ended = new Promise((done) => child.once('exit', done))
      if (child.exitCode === null && child.kill('SIGKILL')) await ended
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    })
    return new PageShell(folder, child)
  }

  /** Runs these lines and resolves to what they have written, of programs in the background too. */
  async run(block: string, milliseconds = 60_000): Promise<Said> {
    this.#blocks += 1
    const file = join(this.folder, `block-${this.#blocks}`)
    writeFileSync(file, block)
    this.#text = ''
    const mark = `end of block ${this.#blocks}: `
    this.#child.stdin?.write(`. ${file} < /dev/null\necho "${mark}$?"\n`)
    await until(() => /: \d+\n/.test(this.#text.split(mark.slice(0, -2))[1] ?? ''), milliseconds).catch(
      () => {
        throw new Error(`these commands have not ended:\n${block}\n${this.#text}`)
      },
    )
    const [text = '', code] = this.#text.split(mark)
    return { text, code: Number.parseInt(code ?? '', 10) }
  }

  /** Runs them again and again until that is in what they write. */
  async runUntil(block: string, expected: RegExp, milliseconds = 60_000): Promise<string> {
    const deadline = performance.now() + milliseconds
    for (;;) {
      const { text } = await this.run(block)
      if (expected.test(text)) return text
      if (performance.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${expected}\n${text}`)
      await new Promise((done) => setTimeout(done, 300))
    }
  }
}
