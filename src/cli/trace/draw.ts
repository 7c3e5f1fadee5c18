// A conversation drawn as the specification draws its message flows: the sensor on the left, the gateway on the right.

import { describeFrame, hex } from '../../codec/v1/describe.ts'
import type { StateChange } from '../../console/contract/live.ts'
import type { SensorDetail } from '../../console/contract/sensors.ts'
import { escapeControls } from '../running/api.ts'
import { type Paint, stateStyle } from '../terminal/paint.ts'
import { amount, clock, span } from '../terminal/quantities.ts'
import type { FrameOf } from './line-frames.ts'
import { type TracedPacket, wordsOf } from './words.ts'

/** What is drawn besides one line for each message. */
export interface DrawingOptions {
  readonly hex: boolean
  readonly fields: boolean
  /** what is on the line of a listener, where there is one */
  readonly frames?: FrameOf | undefined
}

/** Lines for what happens, in its order. */
export interface Drawing {
  head(clientId: string, detail: SensorDetail | undefined): string[]
  packet(packet: TracedPacket): string[]
  state(change: StateChange): string[]
}

/** Between the two lifelines: an arrow with the longest name fits, WILLTOPICRESP. */
const LANE = 23
/** clock and step, each with the blanks after it */
const MARGIN = 12 + 2 + 8 + 2
/** From here on a gap gets a line of its own. */
const LONG = 1000

/** Starts a drawing; it remembers when and from where the last message came. */
export function createDrawing(paint: Paint, options: DrawingOptions): Drawing {
  let last: number | undefined
  let from: string | undefined

  /** A step is told for messages only: changes of state happen in no time, and their clock is coarser. */
  const row = (at: number, lane: string, text: string, isMessage: boolean): string[] => {
    const step = last === undefined ? 0 : Math.max(0, at - last)
    const gap = step < LONG ? [] : [blank(paint('dim', centred(`... ${span(step)}`)))]
    const passed = last === undefined || gap.length > 0 || !isMessage ? '' : `+${span(step)}`
    if (isMessage || gap.length > 0) last = at
    return [...gap, `${clock(at)}  ${paint('dim', passed.padStart(8))}  │${lane}│  ${text}`.trimEnd()]
  }

  return {
    head(clientId, detail) {
      const names = `${' '.repeat(MARGIN)}${paint('bold', `${'sensor'.padEnd(LANE - 5)}gateway`)}`
      return [paint('bold', escapeControls(clientId)) + aboutSensor(detail), names]
    },

    packet(packet) {
      const { at, direction, type, repeated, address, port } = packet
      const bytes = Uint8Array.from(Buffer.from(packet.bytes, 'hex'))
      const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      const frame = options.frames?.(packet.listener, bytes)
      const moved = from !== undefined && from !== place
      from = place
      const style = repeated ? 'yellow' : direction === 'received' ? 'cyan' : 'green'
      const words = [wordsOf(packet, bytes), ...(repeated ? [paint('yellow', '(again)')] : [])]
      return [
        ...(moved ? row(at, centred(''), paint('yellow', `now at ${escapeControls(place)}`), false) : []),
        ...row(at, paint(style, arrow(direction, escapeControls(type))), words.join(' '), true),
        ...(options.hex ? [blank(centred(''), paint('dim', hex(bytes)))] : []),
        ...(frame === undefined ? [] : [blank(centred(''), paint('dim', frame))]),
        ...(options.fields ? describeFrame(bytes).map((line) => blank(centred(''), paint('dim', line))) : []),
      ]
    },

    state({ at, from: before, to, why }) {
      const text = `${escapeControls(before)} → ${paint(stateStyle(to), escapeControls(to))}: ${escapeControls(why)}`
      return row(at, paint(stateStyle(to), centred('•')), text, false)
    },
  }
}

function aboutSensor(detail: SensorDetail | undefined): string {
  if (detail === undefined) return ': not here yet'
  const { state, address, listener, topics, subscriptions, queued } = detail
  const facts = [
    address === undefined ? '' : ` at ${escapeControls(address)}`,
    listener === undefined ? '' : ` on ${escapeControls(listener)}`,
    `: ${escapeControls(state)}, ${amount(topics, 'topic')}, ${amount(subscriptions, 'subscription')}`,
    queued === 0 ? '' : `, ${amount(queued, 'message')} waiting`,
    detail.held === undefined ? '' : `. ${escapeControls(detail.held)}`,
  ]
  return facts.join('')
}

function arrow(direction: TracedPacket['direction'], type: string): string {
  const line = '─'.repeat(Math.max(0, LANE - 5 - type.length))
  return direction === 'received' ? `── ${type} ${line}▶` : `◀${line} ${type} ──`
}

function centred(text: string): string {
  const room = Math.max(0, LANE - text.length)
  return ' '.repeat(room >> 1) + text + ' '.repeat(room - (room >> 1))
}

const blank = (lane: string, text = ''): string => `${' '.repeat(MARGIN)}│${lane}│  ${text}`.trimEnd()
