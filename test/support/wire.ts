// Conversations in octets, written as they go over the wire, for playing other authors' clients.

import { expect } from 'vitest'
import { aWhile } from './gateway.ts'
import type { UdpPeer } from './sensor.ts'

/** What a forwarder puts before a node's message, and the gateway before its answer: hex [5.5]. */
export interface Wrapping {
  readonly said: string
  readonly heard: string
}

/**
 * One end of a conversation. Lines with `>` are sent, lines with `<` must come; `< -` means that nothing comes. Octets
 * are hex, text is in quotes, the Length field is put in front. `$id=` takes two octets of what came, `$id` says them
 * again. After `>!` come the octets as they are, Length included. What follows `;` is a remark.
 */
export class Wire {
  readonly #peer: UdpPeer
  readonly #wrapping: Wrapping
  readonly #names = new Map<string, string>()
  #taken = 0

  constructor(peer: UdpPeer, wrapping: Wrapping = { said: '', heard: '' }) {
    this.#peer = peer
    this.#wrapping = wrapping
  }

  /** Plays one line after the other. */
  async talk(conversation: string): Promise<void> {
    for (const { direction, text } of linesOf(conversation)) {
      if (direction === '>') this.#say(withLength(this.#octets(text)))
      else if (direction === '>!') this.#say(this.#octets(text))
      else if (text === '-') await this.#silence()
      else await this.#hear(text)
    }
  }

  /** These lines must come, in any order. */
  async hears(lines: string): Promise<void> {
    const expected = linesOf(lines).map(({ text }) => this.#expected(text))
    const came: string[] = []
    while (came.length < expected.length) came.push(await this.#next())
    expect(came.sort()).toEqual(expected.sort())
  }

  #say(message: string): void {
    this.#peer.send(this.#wrapping.said + message)
  }

  async #next(): Promise<string> {
    await this.#peer.next()
    return this.#peer.heard[this.#taken++]?.hex ?? ''
  }

  #expected(text: string): string {
    return this.#wrapping.heard + withLength(this.#octets(text))
  }

  async #hear(text: string): Promise<void> {
    const expected = this.#expected(text)
    const pattern = new RegExp(`^${expected.replaceAll('????', '([0-9a-f]{4})')}$`)
    const came = await this.#next()
    expect(came, text).toMatch(pattern)
    const octets = pattern.exec(came) ?? []
    const names = [...text.matchAll(/\$(\w+)=/g)].map(([, name = '']) => name)
    for (const [i, name] of names.entries()) this.#names.set(name, octets[i + 1] ?? '')
  }

  async #silence(): Promise<void> {
    await aWhile()
    expect(this.#peer.heard.slice(this.#taken).map(({ hex }) => hex)).toEqual([])
  }

  /** Hex of what is written; octets to be taken are `????`. */
  #octets(text: string): string {
    const words = text.match(/"[^"]*"|\S+/g) ?? []
    return words.map((word) => this.#octetsOf(word)).join('')
  }

  #octetsOf(word: string): string {
    if (word.startsWith('"')) return Buffer.from(word.slice(1, -1)).toString('hex')
    if (!word.startsWith('$')) return word
    if (word.endsWith('=')) return '????'
    const octets = this.#names.get(word.slice(1))
    if (octets === undefined) throw new Error(`nothing was taken as ${word}`)
    return octets
  }
}

function linesOf(conversation: string): { direction: string; text: string }[] {
  return conversation.split('\n').flatMap((line) => {
    const [, direction, text] = /^\s*(>!?|<)\s*([^;]*)/.exec(line) ?? []
    return direction === undefined || text === undefined ? [] : [{ direction, text: text.trim() }]
  })
}

/** The shortest Length field in front [5.2.1]. */
function withLength(body: string): string {
  const octets = body.length / 2
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  return (octets < 255 ? hex(octets + 1, 2) : `01${hex(octets + 3, 4)}`) + body
}
