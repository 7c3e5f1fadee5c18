// Recorded sessions of other implementations with the server: what was sent to it, what it answered, and the chance it had.

import { readdirSync, readFileSync } from 'node:fs'
import type { Chance } from '../../src/dtls/crypto/chance.ts'
import { ephemeralFrom } from '../../src/dtls/crypto/primitives.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import type { Remote } from '../../src/dtls/effects.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import type { Group } from '../../src/dtls/suites.ts'

export interface Step {
  readonly at: number
  /** a datagram to the server */
  readonly in?: string
  readonly from?: Remote
  /** a datagram of the server */
  readonly out?: string
  readonly event?: {
    readonly type: 'open' | 'data' | 'moved' | 'closed'
    readonly identity?: string
    readonly kind?: 'psk' | 'cert'
    readonly suite?: string
    readonly resumed?: boolean
    readonly ems?: boolean
    readonly cid?: string
    readonly bytes?: string
    readonly why?: string
  }
}

export interface Vector {
  readonly name: string
  readonly peer: string
  readonly psk: { readonly identity: string; readonly key: string }
  readonly config: {
    readonly cidLength?: number
    readonly cert?: boolean
    readonly clientCa?: boolean
    readonly mtu?: number
    readonly groups?: readonly Group[]
  }
  readonly random: readonly string[]
  readonly ephemeral: readonly { readonly group: Group; readonly pkcs8: string }[]
  readonly signatures: readonly string[]
  readonly pki?: Readonly<
    Record<'ca.pem' | 'server.pem' | 'server.key' | 'client.pem' | 'client.key', string>
  >
  readonly keylog: string
  readonly steps: readonly Step[]
}

const folder = new URL('vectors/', import.meta.url)

export const vectors: readonly Vector[] = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Vector)

export function vector(name: string): Vector {
  const found = vectors.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no vector ${name}`)
  return found
}

export const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** What the recorded server drew, in the order in which it drew it; drawing more or something else is an error. */
export function recordedChance({ random, ephemeral }: Vector): Chance {
  const left = { random: [...random], ephemeral: [...ephemeral] }
  return {
    random(octets) {
      const hex = left.random.shift()
      if (hex?.length !== 2 * octets) throw new Error(`${octets} random octets were not recorded here`)
      return bytesOf(hex)
    },
    ephemeral(group) {
      const key = left.ephemeral.shift()
      if (key?.group !== group) throw new Error(`no key of group ${group} was recorded here`)
      return ephemeralFrom(group, bytesOf(key.pkcs8))
    },
  }
}

/** As the recorded server was configured. */
export function recordedOptions({ psk, config, pki, signatures }: Vector): ServerOptions {
  const left = [...signatures]
  const withCertificate = config.cert === true && pki !== undefined
  return {
    findKey: (identity) => (identity === psk.identity ? bytesOf(psk.key) : undefined),
    certificate: withCertificate
      ? { chain: derChain(pki['server.pem']), sign: () => bytesOf(left.shift() ?? '') }
      : undefined,
    clientTrust:
      withCertificate && config.clientCa === true
        ? createTrust({ authorities: pki['ca.pem'], purpose: 'client', identity: 'fingerprint' })
        : undefined,
    groups: config.groups,
    connectionIdLength: config.cidLength ?? 0,
    mtu: config.mtu ?? 1200,
    tickets: false,
    keyLog: true,
  }
}
