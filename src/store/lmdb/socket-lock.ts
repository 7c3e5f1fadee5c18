// A lock of the kernel for Linux, where Node cannot ask for one on a file: a listening socket in the folder. It answers as long
// as its process lives, in whatever namespace, and refuses at once when that was killed.
//
// Each holder has a file of its own, `lock.1`, `lock.2`, ...; the highest counts. Whoever finds it dead links its socket, which
// listens already, under the next number: of several that start together, one can. The highest is never removed, only
// replaced by a file that nobody listens at, so that a slow starter cannot bring an old number back to life.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

const NAME = /^lock\.([1-9]\d*)$/
/** A socket before it has a number; left behind only by a process that was killed at that moment. */
const UNNUMBERED = /^lock\.new-/

/** Tells why a call failed. */
const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

const freshName = (folder: string): string => join(folder, `lock.new-${randomBytes(6).toString('hex')}`)

/** The numbers in the folder, ascending. */
const numbersIn = (folder: string): number[] =>
  readdirSync(folder)
    .flatMap((name) => Number(NAME.exec(name)?.[1] ?? []))
    .sort((a, b) => a - b)

/** Whether a process listens there. Rejects where that cannot be found out. */
async function isAlive(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false
    if (code === 'EAGAIN' || code === 'EACCES') return true // too busy to answer; or under another user, or label
    if (code === 'ECONNRESET' || code === 'EPIPE') return isAlive(path) // it ended at this moment
    throw error
  } finally {
    socket.destroy()
  }
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy())
  server.unref()
  server.listen(path)
  await once(server, 'listening')
  server.on('error', () => {}) // such as no file descriptor left for one who asks: the lock holds all the same
  return server
}

/** Whether a living process has the lock of a folder. */
export async function isSocketLocked(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false
  const directory = openSync(folder, 'r')
  const at = existsSync('/proc/self/fd') ? `/proc/self/fd/${directory}` : folder
  try {
    const number = numbersIn(at).at(-1)
    return number !== undefined && (await isAlive(join(at, `lock.${number}`)))
  } finally {
    closeSync(directory)
  }
}

/**
 * Takes the lock of a folder; undefined if a living process has it, this one included.
 * @returns what gives it back
 * @throws errors of the file system, also where it has no sockets
 */
export async function acquireSocketLock(folder: string): Promise<(() => void) | undefined> {
  const directory = openSync(folder, 'r')
  // Short, since the path of a socket may have 107 octets only; and this folder even if it is moved or another one takes its place.
  const at = existsSync('/proc/self/fd') ? `/proc/self/fd/${directory}` : folder
  try {
    const held = await takeNumber(at)
    if (held === undefined) closeSync(directory)
    else tidy(at, held.number)
    return held && (() => giveBack(at, held, directory))
  } catch (error) {
    closeSync(directory)
    throw error
  }
}

interface Numbered {
  readonly number: number
  readonly server: Server
}

async function takeNumber(folder: string): Promise<Numbered | undefined> {
  for (;;) {
    const last = numbersIn(folder).at(-1) ?? 0
    if (last > 0 && (await isAlive(join(folder, `lock.${last}`)))) return undefined
    const number = last + 1
    const numbered = join(folder, `lock.${number}`)
    const fresh = freshName(folder)
    const server = await listen(fresh)
    try {
      if (link(fresh, numbered)) {
        if (numbersIn(folder).at(-1) === number) return { number, server }
        rmSync(numbered, { force: true }) // it was slow: this number has been given, and removed, before
      }
    } catch (error) {
      server.close()
      throw error
    }
    server.close()
  }
}

/** Gives the socket its number, under which alone it is known from then on; false if another one was faster. */
function link(fresh: string, numbered: string): boolean {
  try {
    linkSync(fresh, numbered)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** Removes what killed processes have left behind. One that starts now and loses its socket by this begins again. */
function tidy(folder: string, number: number): void {
  for (const name of readdirSync(folder)) {
    const old = Number(NAME.exec(name)?.[1] ?? number) < number
    if (old || UNNUMBERED.test(name)) rmSync(join(folder, name), { force: true })
  }
}

function giveBack(folder: string, { number, server }: Numbered, directory: number): void {
  const end = freshName(folder)
  try {
    writeFileSync(end, '', { mode: 0o600 }) // a folder with a socket in it is harder to copy
    renameSync(end, join(folder, `lock.${number}`))
  } catch {
    rmSync(end, { force: true }) // the folder is gone, or the disk full: a dead socket does as well
  }
  server.close()
  closeSync(directory)
}
