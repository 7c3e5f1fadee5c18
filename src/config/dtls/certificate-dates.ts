// How long certificates of a text count.

import { X509Certificate } from 'node:crypto'
import { derChain } from '../../dtls/crypto/x509.ts'

export interface DatedCertificate {
  /** whose it is, in one line */
  readonly subject: string
  /** milliseconds since 1970 */
  readonly notBefore: number
  readonly notAfter: number
  /** the same as they are written */
  readonly validFrom: string
  readonly validTo: string
}

/** All certificates of a PEM text, in its order. Throws an Error where there is none, or one cannot be read. */
export const datedCertificates = (pem: string): DatedCertificate[] =>
  derChain(pem).map((der) => {
    const { subject, validFrom, validTo } = new X509Certificate(der)
    return {
      subject: subject.replaceAll('\n', ', '),
      notBefore: Date.parse(validFrom),
      notAfter: Date.parse(validTo),
      ...{ validFrom, validTo },
    }
  })

/** When the first of them ends. */
export const firstEnd = (pem: string): number =>
  Math.min(...datedCertificates(pem).map(({ notAfter }) => notAfter))
