// A serial line without hardware: two pseudo terminals that socat joins. To kill it is to pull the plug.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether pseudo terminals can be joined here; tests that need it are skipped by name without. */
export const hasSocat = ((): boolean => {
  try {
    execFileSync('socat', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** One line with two ends, which can be unplugged and plugged in again. */
export class PtyPair {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mqttsn-line-'))
  readonly near = join(this.#folder, 'near')
  readonly far = join(this.#folder, 'far')
  #socat: ChildProcess | undefined

  /** A line that is plugged in. */
  static async open(): Promise<PtyPair> {
    const pair = new PtyPair()
    await pair.plug()
    return pair
  }

  async plug(): Promise<void> {
    const end = (link: string) => `pty,raw,echo=0,link=${link}`
    this.#socat = spawn('socat', [end(this.near), end(this.far)], { stdio: 'ignore' })
    for (let left = 500; !(existsSync(this.near) && existsSync(this.far)); left--) {
      if (left === 0) throw new Error('socat has made no line within 5 s')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Both ends are gone at once. */
  async unplug(): Promise<void> {
    const socat = this.#socat
    this.#socat = undefined
    if (socat === undefined) return
    const ended = once(socat, 'exit')
    socat.kill('SIGKILL')
    await ended
    rmSync(this.near, { force: true })
    rmSync(this.far, { force: true })
  }

  async close(): Promise<void> {
    await this.unplug()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
