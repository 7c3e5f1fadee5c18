// A fuzz run of the DTLS core: honest clients talk to a server in virtual time, and an attacker who sees all and may use every
// address adds broken copies of what they say. Nothing may fault, no session may open without the Finished of its client, no
// message may come that was not said, and open sessions must not be harmed. A seed and a round repeat what happened, but for the octets of signatures.

import { readFileSync } from 'node:fs'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions } from '../../src/dtls/client/options.ts'
import { type Chance, signerOf } from '../../src/dtls/crypto/chance.ts'
import { ephemeralFrom } from '../../src/dtls/crypto/primitives.ts'
import { createTrust, derChain, type Trust } from '../../src/dtls/crypto/x509.ts'
import type { Effect, Remote } from '../../src/dtls/effects.ts'
import type { Credentials } from '../../src/dtls/handshake/credentials.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'
import { SUITES } from '../../src/dtls/suites.ts'
import { mutateRecords, readForeignDatagrams } from './dtls-mutation.ts'
import { below, type Random, seeded } from './mutation.ts'

export interface DtlsFuzzOptions {
  /** mutated datagrams in all */
  readonly datagrams: number
  readonly seed: number
  /** this round alone */
  readonly round?: number | undefined
  readonly onRound?: (report: DtlsFuzzReport) => void
}

export interface DtlsFuzzReport {
  mutated: number
  /** handshakes that honest clients began, and sessions that opened */
  handshakes: number
  sessions: number
  resumed: number
  /** messages said and delivered in open sessions */
  said: number
  delivered: number
  readonly failures: string[]
}

/** One certificate for both sides, of a recorded session. */
function readCertificates(): { readonly own: Credentials; readonly clients: Trust; readonly servers: Trust } {
  const file = new URL('../../test/dtls/vectors/openssl-cert-gcm-x25519.json', import.meta.url)
  const { pki } = JSON.parse(readFileSync(file, 'utf8')) as { pki: Record<string, string> }
  const authorities = pki['ca.pem'] ?? ''
  return {
    own: { chain: derChain(pki['server.pem'] ?? ''), sign: signerOfOneLength(pki['server.key'] ?? '') },
    clients: createTrust({ authorities, purpose: 'client' }),
    servers: createTrust({ authorities, purpose: 'server' }),
  }
}

/** Signatures are never the same; of the same length, at least, they lead to much the same run. */
function signerOfOneLength(key: string): (message: Uint8Array) => Uint8Array {
  const sign = signerOf(key)
  return (message) => {
    for (;;) {
      const signature = sign(message)
      if (signature.length === 71) return signature
    }
  }
}

// PKCS #8 up to the private key itself
const PRIVATE_KEYS = {
  23: '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
  29: '302e020100300506032b656e04220420',
}

/** Keys of agreements come from the seed, too. */
function repeatableChance(random: Random): Chance {
  const octetsOf = (length: number) => Uint8Array.from({ length }, () => below(random, 256))
  return {
    random: octetsOf,
    ephemeral(group) {
      const secret = octetsOf(32)
      secret[0] = 1
      return ephemeralFrom(group, Buffer.concat([Buffer.from(PRIVATE_KEYS[group], 'hex'), secret]))
    },
  }
}

const certificates = readCertificates()

const KEY = Uint8Array.from({ length: 16 }, (_, index) => index)
const WALL = Date.parse('2027-01-01')
const CLIENTS = 6
/** broken copies of each datagram, on average */
const COPIES = 3

class HonestClient {
  readonly core: DtlsClient
  readonly remote: Remote
  readonly seen: Uint8Array[] = []
  /** it has sent a protected record, which in a handshake is its Finished */
  sentFinished = false
  session: number | undefined
  /** what it said and has not arrived */
  readonly underWay = new Set<string>()
  readonly expected = new Set<string>()

  constructor(core: DtlsClient, remote: Remote) {
    this.core = core
    this.remote = remote
  }
}

/** Runs until so many mutated datagrams were received or something is wrong. */
export function fuzzDtls(options: DtlsFuzzOptions): DtlsFuzzReport {
  const report: DtlsFuzzReport = {
    mutated: 0,
    handshakes: 0,
    sessions: 0,
    resumed: 0,
    said: 0,
    delivered: 0,
    failures: [],
  }
  const foreign = readForeignDatagrams()
  const { seed, round: only } = options
  for (let round = only ?? 0; report.mutated < options.datagrams && report.failures.length === 0; round++) {
    // each round has a seed of its own, so that one that failed is repeated alone
    new Round(report, seeded(seed + round * 0x9e3779b1), foreign, round).run()
    options.onRound?.(report)
    if (only !== undefined) break
  }
  return report
}

class Round {
  readonly #report: DtlsFuzzReport
  readonly #random: Random
  readonly #foreign: readonly Uint8Array[]
  readonly #server: DtlsServer
  readonly #chance: Chance
  readonly #clients = new Map<number, HonestClient>()
  readonly #round: number
  #now = 0
  #words = 0
  #ports = 0
  /** the attacker leaves handshakes alone, and attacks what is open */
  readonly #spares: boolean
  #attacks = true

  constructor(report: DtlsFuzzReport, random: Random, foreign: readonly Uint8Array[], round: number) {
    this.#report = report
    this.#random = random
    this.#foreign = foreign
    this.#round = round
    this.#spares = random() < 0.5
    this.#chance = repeatableChance(random)
    this.#server = new DtlsServer(
      {
        findKey: (identity) => (identity.startsWith('meter') ? KEY : undefined),
        certificate: certificates.own,
        clientTrust: certificates.clients,
        connectionIdLength: [0, 1, 6][below(random, 3)] ?? 6,
        mtu: 256 + below(random, 1000),
        tickets: random() < 0.5,
        handshakesPerAddress: 1_000_000,
        sessions: 1000,
      },
      this.#chance,
    )
  }

  run(): void {
    for (let index = 0; index < CLIENTS && this.#isWell; index++) this.#begin(index, undefined)
    for (let turn = 0; turn < 20 && this.#isWell; turn++) {
      for (const [port, client] of [...this.#clients]) {
        if (client.core.state === 'open') this.#talk(client)
        else if (client.core.state === 'gone') this.#clients.delete(port)
      }
      this.#pass(500)
    }
    this.#finish()
  }

  get #isWell(): boolean {
    return this.#report.failures.length === 0
  }

  #fail(what: string): void {
    this.#report.failures.push(`round ${this.#round}: ${what}`)
  }

  #begin(index: number, resume: ClientOptions['resume']): void {
    const random = this.#random
    const suite = SUITES[below(random, SUITES.length)]?.code ?? 0xc0a8
    const core = new DtlsClient(
      {
        remote: { address: '10.0.0.254', port: 8883 },
        psk: { identity: `meter-${index}`, key: KEY },
        certificate: certificates.own,
        serverTrust: certificates.servers,
        suites: resume === undefined ? [suite] : [resume.suite],
        connectionIdLength: ([0, 3, 'off'] as const)[below(random, 3)] ?? 0,
        tickets: random() < 0.5,
        mtu: 256 + below(random, 1000),
        resume,
      },
      this.#chance,
    )
    const client = new HonestClient(core, {
      address: '10.0.0.1',
      port: 1000 + this.#ports++,
    })
    this.#clients.set(client.remote.port, client)
    this.#report.handshakes++
    this.#act(client, (out) => core.start({ now: this.#now, wall: WALL + this.#now, out }))
  }

  /** Says something in both directions; both must arrive, since the attacker only adds. */
  #talk(client: HonestClient): void {
    // a short handshake ends with the client: if the attacker ended the server's half first, only time tells
    if (client.session === undefined && client.core.info?.resumed === true && !this.#spares) {
      this.#clients.delete(client.remote.port)
      return
    }
    const said = `word ${this.#words++}`
    client.underWay.add(said)
    this.#report.said++
    this.#act(client, (out) => client.core.send(Buffer.from(said), { now: this.#now, wall: WALL, out }))
    if (client.session === undefined)
      return this.#fail('a client is open, and the server knows nothing of it')
    const answer = `answer ${this.#words++}`
    client.expected.add(answer)
    const session = client.session
    this.#serve((out) => this.#server.send(session, Buffer.from(answer), { now: this.#now, wall: WALL, out }))
    if (client.underWay.size > 0) this.#fail(`an open session lost ${[...client.underWay]}`)
    if (client.expected.size > 0) this.#fail(`an open client lost ${[...client.expected]}`)
    if (this.#random() < 0.05) {
      const { resumption } = client.core
      this.#act(client, (out) => client.core.close('done', { now: this.#now, wall: WALL, out }))
      this.#clients.delete(client.remote.port)
      this.#begin(below(this.#random, CLIENTS), resumption)
    }
  }

  #pass(milliseconds: number): void {
    this.#now += milliseconds
    this.#serve((out) => this.#server.tick({ now: this.#now, wall: WALL + this.#now, out }))
    for (const client of [...this.#clients.values()])
      this.#act(client, (out) => client.core.tick({ now: this.#now, wall: WALL + this.#now, out }))
  }

  /** All end, and nothing may be left. */
  #finish(): void {
    this.#attacks = false
    for (const client of this.#clients.values())
      this.#act(client, (out) => client.core.close('the end', { now: this.#now, wall: WALL, out }))
    for (let minutes = 0; minutes < 70; minutes++) this.#pass(60_000)
    const left = Object.entries(this.#server.sizes).filter(([, size]) => size > 0)
    if (this.#isWell && left.length > 0) this.#fail(`the server still remembers ${JSON.stringify(left)}`)
  }

  #act(client: HonestClient, action: (out: Effect[]) => void): void {
    const out: Effect[] = []
    action(out)
    for (const effect of out) {
      if (effect.type === 'fault') this.#fail(`the client faults: ${stackOf(effect.error)}`)
      if (effect.type === 'data' && !client.expected.delete(Buffer.from(effect.bytes).toString()))
        this.#fail(`a client received what was not said to it: ${Buffer.from(effect.bytes).toString('hex')}`)
      if (effect.type !== 'send') continue
      if (hasProtected(effect.bytes)) client.sentFinished = true
      this.#toServer(client, effect.bytes)
    }
  }

  #serve(action: (out: Effect[]) => void): void {
    const out: Effect[] = []
    action(out)
    for (const effect of out) this.#perform(effect)
  }

  #perform(effect: Effect): void {
    const client = 'remote' in effect ? this.#clients.get(effect.remote.port) : undefined
    switch (effect.type) {
      case 'fault':
        return this.#fail(`the server faults: ${stackOf(effect.error)}`)
      case 'open':
        if (!client?.sentFinished) return this.#fail('a session opened without the Finished of its client')
        client.session = effect.session
        this.#report.sessions++
        if (effect.info.resumed) this.#report.resumed++
        return
      case 'data': {
        const said = Buffer.from(effect.bytes).toString()
        const speaker = [...this.#clients.values()].find(({ session }) => session === effect.session)
        if (!speaker?.underWay.delete(said))
          return this.#fail(`the server received what was not said: ${said}`)
        this.#report.delivered++
        return
      }
      case 'send': {
        const receiver = this.#clients.get(effect.to.port)
        if (receiver !== undefined) this.#toClient(receiver, effect.bytes)
        return
      }
      default:
    }
  }

  #toServer(client: HonestClient, bytes: Uint8Array): void {
    client.seen.push(bytes)
    const receive = (datagram: Uint8Array, from: Remote) =>
      this.#serve((out) =>
        this.#server.receive(datagram, from, { now: this.#now, wall: WALL + this.#now, out }),
      )
    for (const datagram of this.#copies(client, bytes)) {
      // from anywhere: addresses are easily forged
      const dice = this.#random()
      receive(
        datagram,
        dice < 0.6 ? client.remote : { address: '10.0.0.1', port: 1000 + below(this.#random, 100) },
      )
    }
    receive(Uint8Array.from(bytes), client.remote)
  }

  #toClient(client: HonestClient, bytes: Uint8Array): void {
    client.seen.push(bytes)
    const receive = (datagram: Uint8Array) =>
      this.#act(client, (out) =>
        client.core.receive(datagram, { now: this.#now, wall: WALL + this.#now, out }),
      )
    for (const datagram of this.#copies(client, bytes)) receive(datagram)
    receive(Uint8Array.from(bytes))
  }

  /** Broken copies, and now and then an old datagram as it was. */
  *#copies(client: HonestClient, bytes: Uint8Array): Generator<Uint8Array> {
    const isOpen = client.core.state === 'open' && client.session !== undefined
    if (!this.#attacks || (this.#spares && !isOpen) || !this.#isWell) return
    for (let copies = below(this.#random, 2 * COPIES + 1); copies > 0; copies--) {
      this.#report.mutated++
      const mutated = mutateRecords(bytes, client.seen.slice(-20), this.#foreign, this.#random)
      // the real one may be in it whole: that is a copy that came first, and no attack
      if (Buffer.from(mutated).includes(Buffer.from(bytes))) continue
      yield mutated
    }
  }
}

/** Whether a datagram of a client has a record of epoch 1. */
function hasProtected(datagram: Uint8Array): boolean {
  let at = 0
  while (at + 13 <= datagram.length) {
    if (datagram[at + 4] === 1) return true
    at += 13 + (((datagram[at + 11] ?? 0) << 8) | (datagram[at + 12] ?? 0))
  }
  return false
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
