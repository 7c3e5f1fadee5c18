// The cipher suites that are spoken, all with AES-128 and a PRF of SHA-256, and the groups for key agreement.

/** How the premaster secret comes about. */
export type KeyExchange = 'psk' | 'ecdhe-psk' | 'ecdhe-ecdsa'

/** How records are protected. */
export interface RecordCipher {
  readonly algorithm: 'aes-128-ccm' | 'aes-128-gcm'
  readonly tagLength: 8 | 16
}

export interface Suite {
  readonly code: number
  readonly name: string
  readonly exchange: KeyExchange
  readonly cipher: RecordCipher
}

const ccm8: RecordCipher = { algorithm: 'aes-128-ccm', tagLength: 8 }
const ccm: RecordCipher = { algorithm: 'aes-128-ccm', tagLength: 16 }
const gcm: RecordCipher = { algorithm: 'aes-128-gcm', tagLength: 16 }

/** All suites, best first: forward secrecy before plain keys, tags of 16 octets before those of 8. */
export const SUITES: readonly Suite[] = [
  { code: 0xc0ac, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM', exchange: 'ecdhe-ecdsa', cipher: ccm },
  { code: 0xc02b, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', exchange: 'ecdhe-ecdsa', cipher: gcm },
  { code: 0xc0ae, name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', exchange: 'ecdhe-ecdsa', cipher: ccm8 },
  { code: 0xd005, name: 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256', exchange: 'ecdhe-psk', cipher: ccm },
  { code: 0xd001, name: 'TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256', exchange: 'ecdhe-psk', cipher: gcm },
  { code: 0xd003, name: 'TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256', exchange: 'ecdhe-psk', cipher: ccm8 },
  { code: 0xc0a4, name: 'TLS_PSK_WITH_AES_128_CCM', exchange: 'psk', cipher: ccm },
  { code: 0x00a8, name: 'TLS_PSK_WITH_AES_128_GCM_SHA256', exchange: 'psk', cipher: gcm },
  { code: 0xc0a8, name: 'TLS_PSK_WITH_AES_128_CCM_8', exchange: 'psk', cipher: ccm8 },
]

const byCode = new Map(SUITES.map((suite) => [suite.code, suite]))

export const suiteOf = (code: number): Suite | undefined => byCode.get(code)

/** secp256r1 and x25519, by their number. */
export type Group = 23 | 29
export const X25519 = 29
export const SECP256R1 = 23

export const GROUPS: readonly Group[] = [X25519, SECP256R1]

/** Octets of a public point: uncompressed on secp256r1. */
export const pointLength = (group: Group): number => (group === X25519 ? 32 : 65)
