// What a link to nodes is like: whether one node is at its other end, and what the ids of nodes there are.

import { isLineUrl, lineAddress, readLineUrl } from '../../transport/line/url.ts'

/** `wire`: one node, called like the line itself; `encap`: messages come encapsulated; `many`: their addresses tell nodes apart. */
export type LinkKind = 'wire' | 'encap' | 'many'

interface Source {
  readonly url: string
  readonly node?: string | undefined
}

const read = (url: string) => {
  const line = isLineUrl(url) ? readLineUrl(url) : undefined
  return line === undefined || 'expected' in line ? undefined : line
}

/** Modems, by the framing of their line: they speak of many nodes, with addresses of their own. */
const MODEMS: readonly string[] = ['xbee', 'loralink', 'aquila']

/** The modem that an url is for; undefined: none is. */
export const modemOf = (url: string): string | undefined => {
  const framing = String(read(url)?.framing)
  return MODEMS.includes(framing) ? framing : undefined
}

/** Many who call, or are called, are on one line as well. */
const isForMany = (url: string): boolean => !/^(?:serial|tcp):/.test(url) || modemOf(url) !== undefined

/** Which kind of link an url is of. */
export function linkKindOf(url: string): LinkKind {
  const line = read(url)
  if (line?.node === 'encap') return 'encap'
  return line === undefined || isForMany(url) ? 'many' : 'wire'
}

/** The address of what is at the other end of a wire, or of the head of many nodes. */
export function endOf(url: string): string | undefined {
  const line = isForMany(url) ? undefined : read(url)
  return line && lineAddress(line)
}

/** The octets before the own ids of nodes of a link, in hex; of a wire all of it: 01, 02, ... where none is given. */
export function nodeOf(sources: readonly Source[], index: number): string {
  const source = sources[index]
  if (source === undefined) return ''
  if (source.node !== undefined) return source.node.toLowerCase()
  if (linkKindOf(source.url) !== 'wire') return ''
  const wires = sources.slice(0, index + 1).filter(({ url }) => linkKindOf(url) === 'wire').length
  return wires.toString(16).padStart(2, '0')
}

/** Ids that are numbers of few octets, given by hand: two links may have the same. */
export const hasShortIds = (url: string): boolean =>
  linkKindOf(url) === 'encap' || ['loralink', 'aquila'].includes(modemOf(url) ?? '')
