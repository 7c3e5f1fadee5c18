// What pcapng files are made of: blocks and their options, in little-endian order; and addresses as octets.

/** One end of the way of a datagram. */
export interface End {
  /** 4 or 16 octets */
  readonly address: Uint8Array
  readonly port: number
}

export const END_OF_OPTIONS = new Uint8Array(4)

/** One option of a block. */
export function option(code: number, value: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4))
  head.setUint16(0, code, true)
  head.setUint16(2, value.length, true)
  return join([octets(head), padded(value)])
}

/** One block; `parts` begin on multiples of four octets. */
export function block(type: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = join([new Uint8Array(8), ...parts, new Uint8Array(4)])
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, bytes.length, true)
  view.setUint32(bytes.length - 4, bytes.length, true)
  return bytes
}

/** All of them, one after the other. */
export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Zeros up to the next multiple of four octets. */
export const padded = (bytes: Uint8Array): Uint8Array => join([bytes, new Uint8Array(-bytes.length & 3)])

export const octets = (view: DataView<ArrayBuffer>): Uint8Array => new Uint8Array(view.buffer)

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** 4 or 16 octets; an IPv4 address in IPv6 notation is one of IPv4. Undefined if it is no IP address. */
export function addressOctets(text: string): Uint8Array | undefined {
  const address = text.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/i, '')
  if (!address.includes(':')) {
    const numbers = address.split('.')
    return numbers.length === 4 && numbers.every((part) => /^\d{1,3}$/.test(part))
      ? Uint8Array.from(numbers, Number)
      : undefined
  }
  const [head = [], tail] = address.split('::').map(groups)
  const zeros =
    tail === undefined ? [] : new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0)
  const all = [...head, ...zeros, ...(tail ?? [])]
  if (all.length !== 8 || all.some(Number.isNaN)) return undefined
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group]))
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}
