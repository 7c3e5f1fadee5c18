// A sign of life: each node has a port on which nothing is said. While its process is there, others can connect; a process that ends
// closes the connection, and from then on the port refuses, which proves that it is gone long before its lease runs out.

import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Identity, isSame, type Member } from './judging/engine.ts'

/** Nodes that may watch, more than there are of any cluster; the oldest gives way. */
const MOST_WATCHERS = 256
/** Milliseconds between attempts, and until one is given up. */
const AGAIN = 500

/** A port that is open as long as this process is there. */
export interface Sign {
  /** for `Member.address` */
  readonly address: string
  close(): void
}

/**
 * Opens a port at one of this machine's addresses. `place`: tells this machine's network from that of all others, so that a refusal
 * by it means what it says.
 */
export async function openSign(host: string, place: string): Promise<Sign> {
  const watchers = new Set<Socket>()
  const server: Server = createServer((socket) => {
    for (const oldest of watchers) {
      if (watchers.size < MOST_WATCHERS) break
      oldest.destroy()
    }
    watchers.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => socket.destroy()) // nobody has anything to say here
    socket.on('close', () => watchers.delete(socket))
    socket.unref()
  })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: 0 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', () => {})
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    address: `tcp://${host.includes(':') ? `[${host}]` : host}:${port}#${place}`,
    close() {
      server.close()
      for (const socket of watchers) socket.destroy()
    },
  }
}

interface Place {
  readonly host: string
  readonly port: number
  readonly place: string
}

function placeOf(address: string | undefined): Place | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined
  const { hostname, port, hash } = new URL(address.replace(/^tcp:/, 'http:'))
  const host = hostname.replace(/^\[|\]$/g, '')
  return { host, port: Number(port) || 80, place: hash.slice(1) }
}

/** One member that is watched. */
class Watched {
  readonly member: Member
  isGone = false
  readonly #at: Place | undefined
  /** a refusal is believed: it was open before, or the port is one of this machine */
  #isTrusted: boolean
  readonly #onGone: () => void
  #socket: Socket | undefined
  #again: NodeJS.Timeout | undefined

  constructor(member: Member, here: string, onGone: () => void) {
    this.member = member
    this.#at = placeOf(member.address)
    this.#isTrusted = this.#at?.place === here && here !== ''
    this.#onGone = onGone
    this.#try()
  }

  #try(): void {
    if (this.#at === undefined || this.isGone) return
    const { host, port } = this.#at
    const begun = performance.now()
    let refused = false
    const socket = connect({ host, port })
    this.#socket = socket
    socket.unref()
    socket.setTimeout(AGAIN, () => socket.destroy())
    socket.on('connect', () => {
      // a firewall that refuses what it does not know must not count as proof
      this.#isTrusted = true
      socket.setTimeout(0)
      socket.setKeepAlive(true, AGAIN)
    })
    socket.on('data', () => socket.destroy())
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      refused = code === 'ECONNREFUSED'
    })
    socket.on('close', () => {
      if (this.#socket !== socket) return
      if (refused && this.#isTrusted) {
        this.isGone = true
        return this.#onGone()
      }
      // one that has closed is tried again at once: the port says whether the process is gone
      const wait = this.#isTrusted && !refused && performance.now() - begun > AGAIN ? 0 : AGAIN
      this.#again = setTimeout(() => this.#try(), wait).unref()
      if (wait === 0) this.#onGone()
    })
  }

  end(): void {
    const socket = this.#socket
    this.#socket = undefined
    clearTimeout(this.#again)
    socket?.destroy()
  }
}

/** Watches the signs of other nodes. */
export class SignWatch {
  readonly #here: string
  readonly #onChange: () => void
  #watched: Watched[] = []

  /** `place`: where this process is; `onChange` is called when one of them may be gone, or is. */
  constructor(place: string, onChange: () => void) {
    this.#here = place
    this.#onChange = onChange
  }

  /** These are watched from now on, and no others. */
  watch(members: readonly Member[]): void {
    for (const one of this.#watched) if (!members.some((member) => isSame(member, one.member))) one.end()
    this.#watched = members.map(
      (member) =>
        this.#watched.find((one) => isSame(one.member, member)) ??
        new Watched(member, this.#here, () => this.#onChange()),
    )
  }

  /** Its process is certainly gone. */
  isProven(member: Identity): boolean {
    return this.#watched.some((one) => one.isGone && isSame(one.member, member))
  }

  close(): void {
    this.watch([])
  }
}
