// The record layer of one association: its sequence numbers, keys, connection ids and replay window.

import { type DirectionKeys, keyBlockOf } from '../crypto/keys.ts'
import { NOTHING } from '../octets.ts'
import type { RecordCipher } from '../suites.ts'
import { type Content, isSealable, openRecord, recordOverhead, sealRecord } from './protection.ts'
import { type DtlsRecord, HEADER_LENGTH, LAST_SEQUENCE, TLS12_CID, writePlainRecord } from './record.ts'
import { ReplayWindow } from './window.ts'

/** Forged records that a key with tags of 8 octets withstands; longer tags need no limit here [9147 4.5.3 as a guide]. */
const MOST_FORGERIES = 2 ** 20

/** What became of a protected record. */
export type Opened =
  | { readonly result: 'content'; readonly content: Content; readonly isNewest: boolean }
  | { readonly result: 'malformed' | 'replay' | 'mac' }

interface Keys {
  readonly cipher: RecordCipher
  readonly write: DirectionKeys
  readonly read: DirectionKeys
}

/** Both directions between two peers. Epoch 1 is the only one with keys, as there is no renegotiation. */
export class Channel {
  /** the peer puts it into its records, empty = it does not */
  ownCid: Uint8Array = NOTHING
  /** put into records to the peer, empty = not */
  peerCid: Uint8Array = NOTHING
  window = new ReplayWindow()
  /** records whose tag was wrong */
  forgeries = 0
  /** next numbers to write, by epoch */
  plainSequence: number
  sequence = 0
  /** secret: what a saved session needs */
  keyOctets: Uint8Array | undefined
  #keys: Keys | undefined

  /** Epoch 0 starts with the sequence number of the hello that is answered [6347 4.2.1]. */
  constructor(plainSequence = 0) {
    this.plainSequence = plainSequence
  }

  get hasKeys(): boolean {
    return this.#keys !== undefined
  }

  /** `octets` is a whole key block; they become the channel's. */
  setKeys(cipher: RecordCipher, octets: Uint8Array, role: 'client' | 'server'): void {
    const block = keyBlockOf(octets)
    this.keyOctets = octets
    const [write, read] = role === 'client' ? [block.client, block.server] : [block.server, block.client]
    this.#keys = { cipher, write, read }
  }

  /** Octets that a record in front of and behind its content has. */
  overhead(epoch: number): number {
    return epoch === 0 || this.#keys === undefined
      ? HEADER_LENGTH
      : recordOverhead(this.#keys.cipher, this.peerCid.length)
  }

  /** Whether there is a sequence number left, with one kept back for the alert that ends it. */
  get isExhausted(): boolean {
    return this.sequence >= LAST_SEQUENCE - 1
  }

  /** Whether so many forged records came that the key must not be used any longer. */
  get isWorn(): boolean {
    return this.#keys?.cipher.tagLength === 8 && this.forgeries >= MOST_FORGERIES
  }

  write(epoch: number, type: number, content: Uint8Array): Uint8Array {
    if (epoch === 0) return writePlainRecord(type, this.plainSequence++, content)
    const keys = this.#keys
    if (keys === undefined) throw new Error('there are no keys yet')
    // the one place where numbers under a key are drawn: none is ever drawn twice
    if (this.sequence > LAST_SEQUENCE) throw new Error('the sequence numbers are used up')
    return sealRecord(keys.cipher, keys.write, type, 1, this.sequence++, this.peerCid, content)
  }

  /** Opens a protected record: the window first, then the tag, then the window is changed [6347 4.1.2.6]. */
  open(record: DtlsRecord): Opened {
    const keys = this.#keys
    if (keys === undefined || (record.type === TLS12_CID) !== this.ownCid.length > 0)
      return { result: 'malformed' }
    if (!isSealable(keys.cipher, record.payload)) return { result: 'malformed' }
    if (!this.window.accepts(record.sequence)) return { result: 'replay' }
    const content = openRecord(keys.cipher, keys.read, record)
    if (content === undefined) {
      this.forgeries++
      return { result: 'mac' }
    }
    return { result: 'content', content, isNewest: this.window.mark(record.sequence) }
  }
}
