// A stream of octets in both directions, whatever carries it, and how each kind is opened.

import type { SerialSettings, TcpSettings } from '../line/url.ts'

/** What is told of a stream. After `onEnd` nothing more comes. */
export interface StreamListener {
  /** `fromSecond`: they come from the second device, where a line has two */
  onOctets(bytes: Uint8Array, fromSecond?: boolean): void
  /** the system has taken something that was written */
  onTaken(): void
  /** it is gone, for whatever reason */
  onEnd(why: string): void
  /** something that a person should know, and what to change */
  onNotice?(text: string): void
}

/** An open stream. */
export interface ByteStream {
  /** Writes; never throws. */
  write(bytes: Uint8Array): void
  /** octets that the system has not taken yet */
  readonly waiting: number
  /** Ends it without a further word to its listener. */
  close(): void
}

/** Opens one kind of stream; rejects with TransportError that names what to change. */
export type OpenStream<Settings extends SerialSettings | TcpSettings = SerialSettings | TcpSettings> = (
  settings: Settings,
  listener: StreamListener,
) => Promise<ByteStream>
