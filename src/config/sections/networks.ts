// Networks in CIDR notation, for allow and deny lists and for what sensors may come from [SN-FWD-9, SN-ROB-2].

import { BlockList, isIP } from 'node:net'

const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+(?:\/|$))/i

interface Network {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Reads "10.0.0.0/8", "fd00::/8" or a single address; undefined if it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const parts = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text)
  const written = parts?.[1] ?? ''
  const mapped = MAPPED.test(written)
  const address = written.replace(MAPPED, '')
  const version = isIP(address)
  if (version === 0) return undefined
  const widest = version === 4 ? 32 : 128
  const prefix = parts?.[2] === undefined ? widest : Number(parts[2]) - (mapped ? 96 : 0)
  if (prefix < 0 || prefix > widest) return undefined
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

/** The network as it is meant, without the bits that tell its hosts apart; undefined for what `parseNetwork` does not read. */
export function wholeNetwork(text: string): string | undefined {
  const network = parseNetwork(text)
  if (network === undefined) return undefined
  const { address, prefix, family } = network
  const width = family === 'ipv4' ? 8 : 16
  const parts = family === 'ipv4' ? address.split('.').map(Number) : hextets(address)
  const whole = parts.map((part, i) => {
    const kept = Math.min(width, Math.max(0, prefix - i * width))
    return part & ~(2 ** (width - kept) - 1)
  })
  if (whole.every((part, i) => part === parts[i])) return text
  if (family === 'ipv4') return `${whole.join('.')}/${prefix}`
  const plain = whole.map((part) => part.toString(16)).join(':')
  return `${new URL(`http://[${plain}]`).hostname.slice(1, -1)}/${prefix}` // in its short form
}

/** The eight numbers of an IPv6 address. */
function hextets(address: string): number[] {
  const numbers = (text: string) =>
    text === ''
      ? []
      : text.split(':').flatMap((part) => {
          const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
          return part.includes('.') ? [a * 256 + b, c * 256 + d] : [Number.parseInt(part, 16)]
        })
  const [before = '', behind] = address.split('::')
  const [first, last] = [numbers(before), numbers(behind ?? '')]
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}

/** Whether the whole of the second network lies in the first. */
export function containsNetwork(first: string, second: string): boolean {
  const [outer, inner] = [parseNetwork(first), parseNetwork(second)]
  if (outer === undefined || inner === undefined || outer.family !== inner.family) return false
  return outer.prefix <= inner.prefix && matcher([first])(inner.address)
}

const ofThisMachine = matcher(['127.0.0.0/8', '::1'])

/** Whether only this machine can reach what listens at a host: "localhost", or a loopback address without brackets. */
export const isLoopback = (host: string): boolean => host === 'localhost' || ofThisMachine(host)

/**
 * A test whether a numeric address lies in one of the networks; false for an empty list and for what is no address.
 * An IPv4 address in IPv6 notation (`::ffff:10.0.0.1`) counts as IPv4; a zone (`fe80::1%eth0`) is ignored.
 * Throws on a network that `parseNetwork` does not read.
 */
export function matcher(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const text of networks) {
    const network = parseNetwork(text)
    if (network === undefined) throw new Error(`not a network: ${text}`)
    list.addSubnet(network.address, network.prefix, network.family)
  }
  return (text) => {
    const address = text.replace(/%.*$/, '').replace(MAPPED, '')
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}
