// What carries datagrams: the contract that every kind of link fulfils. `open.ts` finds the link for an url.

import type { Association } from '../session/peers.ts'
import type { SecureLink, SecureStats } from './secure-link.ts'

/** Where a datagram came from, or goes to. The object that node:dgram hands out fits. */
export interface Remote {
  /** numeric address, IPv4 or IPv6 (with zone for link-local ones); where there is no IP, the link's own, such as a device */
  readonly address: string
  /** 0 where there is no IP */
  readonly port: number
  /**
   * this machine's address that it was sent to, from which answers leave; absent where the link has only one, or does not
   * know it
   */
  readonly local?: string | undefined
  /** set where the link has authenticated the peer; one object as long as that lasts, while addresses may change */
  readonly association?: Association | undefined
  /** whoever has handed it on has made sure that no sensor is known there, anywhere */
  readonly isStranger?: true | undefined
}

/** Called for every datagram received. `bytes` belongs to the callee and is not reused. */
export type OnDatagram = (bytes: Uint8Array, remote: Remote) => void

/** How well a radio heard a message, where it tells. */
export interface Signal {
  /** dBm, below 0 */
  readonly rssi?: number | undefined
  /** 0..255, the more the better */
  readonly lqi?: number | undefined
}

/**
 * Why a line loses octets, or messages, as they come (`noise`, `checksum`, `oversized`, `unknown-frame`: of a modem, `broadcast`: to
 * all, which only discovery may be) and as they go (`oversized`, `undelivered`: a modem could not, `unconfirmed`: it did not say,
 * `full`, `away`, `stuck`).
 */
export type LinkError =
  | 'noise'
  | 'checksum'
  | 'oversized'
  | 'unknown-frame'
  | 'broadcast'
  | 'undelivered'
  | 'unconfirmed'
  | 'full'
  | 'away'
  | 'stuck'

/** What a link tells of itself that is a stream of octets. */
export interface LinkStats {
  /** it is open */
  readonly up: boolean
  readonly octets: { readonly received: number; readonly sent: number }
  readonly frames: { readonly received: number; readonly sent: number }
  readonly errors: Readonly<Record<LinkError, number>>
  /** messages that wait for the line */
  readonly queue: number
  /** the last octets that were no message, as text */
  readonly noise: string
  /** frames that wait for the modem's confirmation */
  readonly unconfirmed: number
  /** of the last message, where the modem tells it */
  readonly signal: Signal | undefined
  /** addresses that could not be reached several times in a row: how many, and some of them */
  readonly unreachable: { readonly count: number; readonly some: readonly string[] }
  /** where modems call: how many have, and how many were turned away since the start */
  readonly connections?: { readonly open: number; readonly refused: number } | undefined
}

/** What a transport tells of itself, for logs and metrics. */
export interface TransportStats {
  /** octets of receive buffer that the system granted, as read back; comparable with what was asked for */
  readonly receiveBuffer: number
  /** octets that were asked for */
  readonly receiveBufferAsked: number
  /** datagrams that the system dropped because the receive buffer was full; undefined where it cannot be told */
  readonly kernelDrops: number | undefined
  /** datagrams that could not be sent (full send buffer, no route, ...), and other errors of the link */
  readonly sendErrors: number
  /** of a link that authenticates its peers */
  readonly secure?: SecureStats | undefined
  /** of a stream of octets, such as a serial line */
  readonly link?: LinkStats | undefined
}

/** What of a link can change while it runs; see what it was opened with. */
export interface LinkChange {
  readonly url: string
  readonly longest?: number | undefined
  readonly pace?: object | undefined
}

/** One bound link. */
export interface Transport {
  /** the address in use, with the real port, such as `udp://127.0.0.1:1884` */
  readonly url: string
  /** Sends one datagram; never throws, counts what fails. */
  send(bytes: Uint8Array, remote: Remote): void
  /**
   * Sends one datagram to all nodes: the configured multicast group or broadcast address; does nothing where none is
   * configured. `radius` is the hop limit, 0 = as far as configured [6.1].
   */
  broadcast(bytes: Uint8Array, radius: number): void
  /** datagrams that it hands over before others get their turn: so many in a row mean that there may be more */
  readonly atOnce?: number | undefined
  /** octets of the longest message that it carries, where it knows; may become less */
  readonly longest?: number | undefined
  /**
   * Messages that may be sent to this peer now before the link is full; absent where it never is. Those that nobody repeats wait for
   * it.
   */
  room?(remote?: Remote & { readonly nodeId?: Uint8Array | undefined }): number
  stats(): TransportStats
  /** Goes over to another url, where it can: on lines. Resolves when that was tried; what fails is tried again. */
  change?(next: LinkChange): Promise<void>
  /** its sessions, where the link authenticates its peers */
  readonly secure?: SecureLink | undefined
  /** Stops receiving and frees the port. */
  close(): Promise<void>
}
