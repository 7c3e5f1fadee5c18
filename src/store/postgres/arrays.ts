// Arrays in the binary form in which PostgreSQL takes them: values go as they are, without being written as text. Pure.

const OIDS = { int2: 21, int4: 23, int8: 20, bytea: 17, text: 25 } as const

const HEADER = 20

/** The frame of an array: `octets` is the sum of its elements, of which each has its length before it. */
function begin(type: keyof typeof OIDS, count: number, octets: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER + count * 4 + octets)
  buffer.writeInt32BE(1, 0) // dimensions
  buffer.writeInt32BE(0, 4) // no nulls
  buffer.writeInt32BE(OIDS[type], 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16) // the first index
  return buffer
}

export function int2Array(values: readonly number[]): Buffer {
  const buffer = begin('int2', values.length, values.length * 2)
  let at = HEADER
  for (const value of values) {
    at = buffer.writeInt32BE(2, at)
    at = buffer.writeInt16BE(value, at)
  }
  return buffer
}

export function int4Array(values: readonly number[]): Buffer {
  const buffer = begin('int4', values.length, values.length * 4)
  let at = HEADER
  for (const value of values) {
    at = buffer.writeInt32BE(4, at)
    at = buffer.writeInt32BE(value, at)
  }
  return buffer
}

export function int8Array(values: readonly bigint[]): Buffer {
  const buffer = begin('int8', values.length, values.length * 8)
  let at = HEADER
  for (const value of values) {
    at = buffer.writeInt32BE(8, at)
    at = buffer.writeBigInt64BE(value, at)
  }
  return buffer
}

function octetsArray(type: 'bytea' | 'text', values: readonly Uint8Array[]): Buffer {
  const octets = values.reduce((sum, { length }) => sum + length, 0)
  const buffer = begin(type, values.length, octets)
  let at = HEADER
  for (const value of values) {
    at = buffer.writeInt32BE(value.length, at)
    buffer.set(value, at)
    at += value.length
  }
  return buffer
}

export const byteaArray = (values: readonly Uint8Array[]): Buffer => octetsArray('bytea', values)

export const textArray = (values: readonly string[]): Buffer =>
  octetsArray(
    'text',
    values.map((value) => Buffer.from(value)),
  )
