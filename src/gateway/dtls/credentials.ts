// Keys and certificates of one listener: which are in use, and what became of their files since they were read.

import { firstEnd } from '../../config/dtls/certificate-dates.ts'
import { markOf, readPskKeys } from '../../config/dtls/psk-file.ts'
import { revokedSerials } from '../../config/dtls/revocation.ts'
import type { ListenerConfig } from '../../config/schema.ts'
import { signerOf } from '../../dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../dtls/crypto/x509.ts'
import type { FindKey, ServerOptions } from '../../dtls/server/options.ts'
import type { CredentialStatus } from '../../transport/secure-link.ts'
import type { KeyQuestions } from './key-questions.ts'

export type DtlsConfig = NonNullable<ListenerConfig['dtls']>

interface InUse {
  readonly identities: number | undefined
  readonly file: string | undefined
  readonly mark: string | undefined
  readonly certificates: CredentialStatus['certificates']
}

const NOTHING: InUse = { identities: undefined, file: undefined, mark: undefined, certificates: {} }

export class Credentials {
  readonly #questions: KeyQuestions | undefined
  #inUse = NOTHING
  #trouble: string | undefined

  /** `questions`: who is asked for keys that the configuration does not have */
  constructor(questions?: KeyQuestions) {
    this.#questions = questions
  }

  /** Reads all that the section names, to be used from now on. Throws an Error, and those of before stay, where that cannot be. */
  read(dtls: DtlsConfig): Pick<ServerOptions, 'findKey' | 'certificate' | 'clientTrust'> {
    const { psk, cert, key, clientCa } = dtls
    const file = psk?.file
    // before the reading: what changes meanwhile has another mark
    const mark = file === undefined ? undefined : markOf(file)
    try {
      const keys = psk && readPskKeys(psk).keys
      const options = {
        findKey: this.#findKeyIn(keys),
        certificate: cert && key ? { chain: derChain(cert), sign: signerOf(key) } : undefined,
        clientTrust: trustOf(dtls),
      }
      const certificates = {
        ...(cert && { cert: firstEnd(cert) }),
        ...(clientCa && { clientCa: firstEnd(clientCa) }),
      }
      this.#inUse = { identities: keys?.size, file, mark, certificates }
      this.#trouble = undefined
      return options
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  /** How they stand now; looks at the file of keys. */
  readonly status = (): CredentialStatus => {
    const { identities, file, mark, certificates } = this.#inUse
    const now = file === undefined ? undefined : markOf(file)
    const changed = now === mark ? 'current' : 'changed'
    const pskFile = file === undefined ? undefined : now === undefined ? 'unreadable' : changed
    return { identities, pskFile, trouble: this.#trouble, certificates }
  }

  /** Those of the configuration first. */
  #findKeyIn(keys: ReadonlyMap<string, Uint8Array> | undefined): FindKey | undefined {
    if (keys === undefined) return undefined
    const questions = this.#questions
    return (identity) => keys.get(identity) ?? questions?.ask(identity)
  }
}

function trustOf({ clientCa, crl, identity }: DtlsConfig): ServerOptions['clientTrust'] {
  if (!clientCa) return undefined
  const revoked = crl ? revokedSerials(crl) : []
  return createTrust({ authorities: clientCa, purpose: 'client', identity, revoked })
}
