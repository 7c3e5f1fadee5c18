// Wireless node ids [5.5] of nodes that a link tells apart by its own addresses, and back.

/** Links whose addresses can be told from an id without having been heard. */
export type Radio = 'xbee' | 'lora' | 'aquila'

/** Octets of an id that is made of the text of an address. */
const LONGEST_TEXT = 200

/** IPv4: address and port; IPv6: the same; radios: the address on the air; anything else: its text. */
export function idOfAddress(address: string, port: number): Uint8Array {
  if (port > 0) {
    const ip = address.includes(':') ? octetsOfIPv6(address) : octetsOfIPv4(address)
    if (ip !== undefined) return Uint8Array.of(...ip, port >> 8, port & 0xff)
  }
  const tail = address.slice(address.lastIndexOf('/') + 1)
  if (address.startsWith('xbee/') && /^(?:[0-9a-f]{2})+$/i.test(tail)) return octetsOfHex(tail)
  const number = /^\d{1,5}$/.test(tail) ? Number(tail) : Number.NaN
  if (address.startsWith('lora/') && number <= 0xff) return Uint8Array.of(number)
  if (address.startsWith('aquila/') && number <= 0xffff) return Uint8Array.of(number & 0xff, number >> 8)
  return new TextEncoder().encode(address).slice(-LONGEST_TEXT)
}

/** The address on the air of an id that may never have been heard; undefined if it is none of this radio. */
export function addressOfId(radio: Radio, id: Uint8Array): string | undefined {
  const [first = 0, second = 0] = id
  if (radio === 'xbee') return id.length === 8 ? `xbee/${hexOf(id)}` : undefined
  if (radio === 'lora') return id.length === 1 ? `lora/${first}` : undefined
  return id.length === 2 ? `aquila/${first + second * 256}` : undefined
}

/** Whether an id stands for all nodes: octets of ones, and XBee's own. */
export const isBroadcastId = (id: Uint8Array): boolean =>
  id.every((octet) => octet === 0xff) || hexOf(id) === '000000000000ffff'

/** An id as a key of a table. */
export const keyOfId = (id: Uint8Array): string => String.fromCharCode(...id)

const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')

const octetsOfHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

/** Undefined if it is not dotted IPv4. Written out, as it is done for every message. */
function octetsOfIPv4(text: string): number[] | undefined {
  const octets: number[] = []
  let octet = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0x2e
    if (code === 0x2e) {
      if (octet > 0xff) return undefined
      octets.push(octet)
      octet = 0
    } else if (code >= 0x30 && code <= 0x39) octet = octet * 10 + code - 0x30
    else return undefined
  }
  return octets.length === 4 ? octets : undefined
}

/** Zones name interfaces of this machine, and no node. */
function octetsOfIPv6(text: string): number[] | undefined {
  const [head = '', tail] = text.replace(/%.*$/, '').split('::')
  const [before, after] = [groupsOf(head), tail === undefined ? [] : groupsOf(tail)]
  const missing = 16 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 0) return undefined
  return [...before, ...new Array<number>(missing).fill(0), ...after]
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return octetsOfIPv4(group) ?? []
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
