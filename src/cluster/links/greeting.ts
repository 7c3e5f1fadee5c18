// What two nodes say to each other first: who they are, what they have in common, and the proof that both know the cluster's secret.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Changes whenever frames or messages change so that an older program would misunderstand them. */
const PROTOCOL = 1

/** What a node says of itself. */
export interface Introduction {
  /** tells this cluster from others */
  readonly cluster: string
  readonly node: string
  readonly incarnation: number
  /** the program's */
  readonly version: string
  /** the names of listeners, in order: datagrams name them by their numbers */
  readonly listeners: readonly string[]
}

/** The first frame of each side. */
export interface Greeting extends Introduction {
  readonly protocol: number
  /** whether it asks for a proof */
  readonly hasSecret: boolean
  /** drawn anew for each connection, so that no proof can be used again */
  readonly nonce: string
  /** its clock, monotonic milliseconds */
  readonly time: number
  /** whom it calls; '' if it was called */
  readonly to: string
}

/** The second frame of each side. */
export interface Proof {
  /** '' where there is no secret */
  readonly proof: string
  readonly time: number
}

export function createGreeting(introduction: Introduction, secret: string | undefined, to: string): Greeting {
  return {
    ...introduction,
    protocol: PROTOCOL,
    hasSecret: secret !== undefined,
    nonce: randomBytes(16).toString('hex'),
    time: performance.now(),
    to,
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 1024

/** What is said by JSON; undefined if it is none. */
export function parseJson(octets: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The greeting in a frame; undefined if it is none. */
export function readGreeting(octets: Uint8Array): Greeting | undefined {
  const said = parseJson(octets) as Partial<Record<keyof Greeting, unknown>> | null | undefined
  if (typeof said !== 'object' || said === null) return undefined
  const { protocol, cluster, node, incarnation, version, listeners, hasSecret, nonce, time, to } = said
  if (typeof protocol !== 'number' || typeof incarnation !== 'number' || typeof time !== 'number')
    return undefined
  if (!Number.isSafeInteger(incarnation) || !Number.isFinite(time) || typeof hasSecret !== 'boolean')
    return undefined
  if (!isText(cluster) || !isText(node) || !isText(version) || !isText(nonce) || !isText(to)) return undefined
  if (node === '' || !Array.isArray(listeners) || !listeners.every(isText)) return undefined
  return { protocol, cluster, node, incarnation, version, listeners, hasSecret, nonce, time, to }
}

/** The proof in a frame; undefined if it is none. */
export function readProof(octets: Uint8Array): Proof | undefined {
  const said = parseJson(octets) as Partial<Record<keyof Proof, unknown>> | null | undefined
  if (typeof said !== 'object' || said === null) return undefined
  const { proof, time } = said
  return isText(proof) && typeof time === 'number' && Number.isFinite(time) ? { proof, time } : undefined
}

/** Letters of what a stranger says that are repeated to people. */
const MOST_LETTERS = 200

/** What a stranger says, for people. */
export const repeated = (text: string): string => text.replace(/\p{C}/gu, '').slice(0, MOST_LETTERS)

/** Why there can be no link to who says this; undefined: there can. */
export function whyUnfit(own: Greeting, other: Greeting): string | undefined {
  if (other.protocol !== own.protocol)
    return `it speaks version ${other.protocol} of the links and this node ${own.protocol}: install the same program on all nodes`
  if (other.cluster !== own.cluster) return 'it belongs to another cluster: store.url differs'
  const called = own.to || other.to
  if (other.node === own.node && other.incarnation === own.incarnation)
    return `the address of node ${called} leads back to node ${own.node}: give node ${called} an address at which others reach it (cluster.advertise)`
  if (other.node === own.node) return 'it has the same name: each node needs one of its own (cluster.node)'
  if (other.to !== '' && other.to !== own.node)
    return `node ${own.node} answers at the address of node ${repeated(other.to)} (cluster.listen, cluster.advertise)`
  if (other.hasSecret !== own.hasSecret)
    return `cluster.secret is set ${own.hasSecret ? 'here and not there' : 'there and not here'}`
  if (JSON.stringify(other.listeners) !== JSON.stringify(own.listeners))
    return `its listeners are called ${repeated(other.listeners.join(', '))} and here ${own.listeners.join(', ')}: all nodes need the same names in the same order (listeners[].name)`
  return undefined
}

/** Who has dialed, and who was called. */
export type Role = 'dialer' | 'called'

/** Shows that `role` knows the secret. `dialer` and `called`: the greetings, octet for octet, which are bound by it. */
export function prove(
  secret: string | undefined,
  role: Role,
  dialer: Uint8Array,
  called: Uint8Array,
): string {
  if (secret === undefined) return ''
  const hmac = createHmac('sha256', secret).update(`${role} ${dialer.length} ${called.length}\n`)
  return hmac.update(dialer).update(called).digest('hex')
}

/** Whether it is the same proof; takes as long if it is not. */
export function isProof(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}
