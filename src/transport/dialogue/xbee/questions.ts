// What an XBee module is asked when the line opens, and what its answers say: how long messages may be, who it is, and which of its
// settings stand in the way, with the command that mends it. Pure.

import type { Heard } from '../dialogue.ts'
import type { ApiFrame } from './api.ts'

/** Milliseconds for all answers. A module that gives none may still carry messages. */
const ANSWER_WITHIN = 2000
/** How it takes and gives frames; the longest payload; its address; which frames it gives; its firmware. */
const QUESTIONS: readonly string[] = ['AP', 'NP', 'SH', 'SL', 'AO', 'VR']

type Answer = Extract<ApiFrame, { type: 'answer' }>
type Notice = Extract<Heard, { type: 'notice' }>

export class ModuleQuestions {
  readonly #api: number
  /** those not asked yet */
  #toAsk: string[] = []
  /** those under way, by their ids */
  readonly #asked = new Map<number, string>()
  readonly #answers = new Map<string, Uint8Array>()
  /** those that it does not know */
  readonly #refused = new Set<string>()
  #until: number | undefined

  /** `api`: AP as the url says it */
  constructor(api: number) {
    this.#api = api
  }

  /** Asks all from the start; until there is another answer, the one of before holds. */
  begin(now: number): void {
    this.#toAsk = [...QUESTIONS]
    this.#asked.clear()
    this.#refused.clear()
    this.#until = now + ANSWER_WITHIN
  }

  /** when those without an answer are given up */
  get deadline(): number | undefined {
    return this.#until
  }

  /** octets of the longest payload, if the module has told */
  get payload(): number | undefined {
    const octets = this.#number('NP')
    return octets === undefined || octets < 16 ? undefined : octets
  }

  /** It has frames of 802.15.4 only: AO is 2, or a setting that it does not know. */
  get isOld(): boolean {
    return this.#refused.has('AO') || this.#number('AO') === 2
  }

  isAsking(id: number): boolean {
    return this.#asked.has(id)
  }

  /** The next question, under this id; undefined if all are asked. */
  ask(id: () => number): { readonly id: number; readonly command: string } | undefined {
    const command = this.#toAsk.shift()
    if (command === undefined) return undefined
    const asked = { id: id(), command }
    this.#asked.set(asked.id, command)
    return asked
  }

  /** Takes an answer; what is to be said once the last one is there. */
  answer({ id, command, isFine, value }: Answer): Notice[] {
    if (this.#asked.get(id) !== command) return []
    this.#asked.delete(id)
    if (isFine) this.#answers.set(command, value)
    else this.#refused.add(command)
    return this.#asked.size + this.#toAsk.length === 0 ? this.#close() : []
  }

  /** Gives up those that are not answered; what is to be said then. */
  expire(now: number): Notice[] {
    if (this.#until === undefined || now < this.#until) return []
    const wasSilent = this.#asked.size === QUESTIONS.length
    const said = this.#close()
    return wasSilent ? [{ type: 'notice', level: 'warn', text: silentText(this.#api) }] : said
  }

  #close(): Notice[] {
    this.#toAsk = []
    this.#asked.clear()
    this.#until = undefined
    const self = ['SH', 'SL'].map((command) => this.#hex(command)).join('')
    const [firmware, payload] = [this.#hex('VR'), this.payload]
    const parts = [
      self.length === 16 && `address ${self}`,
      firmware !== '' && `firmware ${firmware.replace(/^0+(?=.)/, '').toUpperCase()}`,
      payload !== undefined && `at most ${payload} octets a message (NP)`,
    ].filter((part) => part !== false)
    const said: Notice[] = [{ type: 'notice', level: 'info', text: `XBee module: ${parts.join(', ')}` }]
    const [mode, output] = [this.#number('AP'), this.#number('AO')]
    if (mode !== undefined && mode !== this.#api)
      said.push({ type: 'notice', level: 'warn', text: modeText(mode, this.#api) })
    if (output !== undefined && output !== 0 && output !== 2)
      said.push({ type: 'notice', level: output === 1 ? 'info' : 'warn', text: outputText(output) })
    return parts.length === 0 ? said.slice(1) : said
  }

  #number(command: string): number | undefined {
    const value = this.#answers.get(command)
    return value?.reduce((sum, octet) => sum * 256 + octet, 0)
  }

  #hex(command: string): string {
    const value = this.#answers.get(command) ?? []
    return Array.from(value, (octet) => octet.toString(16).padStart(2, '0')).join('')
  }
}

const silentText = (api: number): string =>
  `the XBee module answers no question within ${ANSWER_WITHIN / 1000} s: it may be in transparent mode, or have another rate than "baud" in the url. In a terminal: +++ and OK, then ATAP${api},D61,D71,WR,CN; in XCTU: AP=${api}, D6=1, D7=1, and BD as in the url`

const modeText = (mode: number, api: number): string =>
  mode === 1 || mode === 2
    ? `the XBee module has AP=${mode}, and the url says api=${api}: write api=${mode} in the url, or set ATAP${api} and ATWR`
    : `the XBee module has AP=${mode}, in which it takes no frames of this kind: set ATAP${api} and ATWR`

const outputText = (output: number): string =>
  output === 1
    ? 'the XBee module has AO=1: this works, with 6 octets more for each message; ATAO0 and ATWR save them'
    : `the XBee module has AO=${output}: requests of the network itself (ZDO) are left to the gateway, which answers none: set ATAO0 and ATWR`
