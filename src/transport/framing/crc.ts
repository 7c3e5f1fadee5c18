// Check sums of 16 bits that framings append to a message, low octet first. Pure.

/** `xmodem`: polynomial 1021 from 0, high bit first. `x25`: the same reflected, from FFFF and inverted (FCS-16, RFC 1662). */
export type CrcKind = 'none' | 'xmodem' | 'x25'

/** Their names, for messages to people. */
export const CRC_NAMES: readonly CrcKind[] = ['none', 'xmodem', 'x25']

const XMODEM = table((value) => {
  let crc = value << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})
const X25 = table((value) => {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1
  return crc
})

function table(entry: (value: number) => number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, value) => entry(value))
}

/** CRC-16/XMODEM. */
export function xmodem(bytes: Uint8Array): number {
  let crc = 0
  for (const octet of bytes) crc = ((crc << 8) & 0xffff) ^ (XMODEM[(crc >> 8) ^ octet] ?? 0)
  return crc
}

/** CRC-16/X.25. */
export function x25(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const octet of bytes) crc = (crc >> 8) ^ (X25[(crc ^ octet) & 0xff] ?? 0)
  return crc ^ 0xffff
}

const SUMS = { xmodem, x25 } as const

/** Octets that a check sum of this kind adds. */
export const crcLength = (kind: CrcKind): number => (kind === 'none' ? 0 : 2)

/** The message with its check sum behind it. */
export function appendCrc(kind: CrcKind, message: Uint8Array): Uint8Array {
  if (kind === 'none') return message
  const sum = SUMS[kind](message)
  const whole = new Uint8Array(message.length + 2)
  whole.set(message)
  whole.set([sum & 0xff, sum >> 8], message.length)
  return whole
}

/** The message without its check sum; undefined if that does not fit. */
export function takeCrc(kind: CrcKind, whole: Uint8Array): Uint8Array | undefined {
  if (kind === 'none') return whole
  const end = whole.length - 2
  if (end < 0) return undefined
  const message = whole.subarray(0, end)
  return SUMS[kind](message) === (whole[end] ?? 0) + ((whole[end + 1] ?? 0) << 8) ? message : undefined
}
