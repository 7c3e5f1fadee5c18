// Revocation lists [RFC 5280 5.1]: which serial numbers they name. Whose they are is not checked: they lie on the operator's disk.

const BLOCK = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g
const INTEGER = 0x02
const BIT_STRING = 0x03
const SEQUENCE = 0x30
const TIMES: readonly number[] = [0x17, 0x18]

interface Element {
  readonly tag: number
  readonly content: Buffer
}

/** The elements of DER, one after the other. Throws RangeError for what is none. */
function elementsOf(octets: Buffer): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < octets.length; ) {
    const tag = octets.readUInt8(at)
    let length = octets.readUInt8(at + 1)
    at += 2
    if (length > 0x80) {
      const size = length & 0x7f
      length = octets.readUIntBE(at, size)
      at += size
    }
    if (length === 0x80 || at + length > octets.length) throw new RangeError('not DER')
    elements.push({ tag, content: octets.subarray(at, at + length) })
    at += length
  }
  return elements
}

/** The serial numbers in all lists of a text, in hex. Throws an Error where there is no list, or one cannot be read. */
export function revokedSerials(pem: string): string[] {
  const blocks = [...pem.matchAll(BLOCK)]
  if (blocks.length === 0) throw new Error('no revocation list in PEM ("-----BEGIN X509 CRL-----")')
  try {
    return blocks.flatMap(([, base64 = '']) => serialsOf(Buffer.from(base64, 'base64')))
  } catch {
    throw new Error('a revocation list that cannot be read')
  }
}

function serialsOf(der: Buffer): string[] {
  const [list] = elementsOf(der)
  const [signed, , signature] = elementsOf(list?.content ?? Buffer.alloc(0))
  if (signed?.tag !== SEQUENCE || signature?.tag !== BIT_STRING) throw new RangeError('not a list')
  const parts = elementsOf(signed.content)
  // after the times of this list and of the next one: the entries, if there are any
  const times = parts.findLastIndex(({ tag }) => TIMES.includes(tag))
  if (times < 0) throw new RangeError('not a list')
  const entries = parts[times + 1]
  if (entries?.tag !== SEQUENCE) return []
  return elementsOf(entries.content).map(({ content }) => {
    const [serial] = elementsOf(content)
    if (serial?.tag !== INTEGER) throw new RangeError('not an entry')
    return serial.content.toString('hex')
  })
}
