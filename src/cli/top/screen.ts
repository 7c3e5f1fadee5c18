// `mqttsn top` on a terminal: drawn anew at every look and every key.

import type { ReadStream, WriteStream } from 'node:tty'
import { pause } from '../../sensor/pause.ts'
import { escapeControls, type LiveFlags } from '../running/api.ts'
import { inColour, plain } from '../terminal/paint.ts'
import { keysOf, type Looking, pressKey } from './keys.ts'
import { lookAtSensors, type Snapshot, takeSnapshot } from './look.ts'
import { cutText, overview, sensorTable } from './report.ts'

const ENTER = '\x1b[?1049h\x1b[?25l' // switches to the alternate screen and hides the cursor; LEAVE undoes both
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
/** what stands around the table: an empty line, its head and the line of keys */
const FRAME = 3

/** Where it is drawn, and where keys come from. */
export interface Stage {
  readonly output: WriteStream
  readonly input: ReadStream
}

/** Shows the gateway until q, Ctrl-C or the signal. Rejects with LiveError if it does not answer at all. */
export async function showTop(
  flags: LiveFlags & { readonly interval: number },
  start: Looking,
  { output, input }: Stage,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController()
  const stop = () => done.abort()
  signal.addEventListener('abort', stop, { once: true })
  const paint = output.hasColors() ? inColour : plain
  let looking = start
  let head = 8
  const page = () => Math.max(1, (output.rows || 24) - head - FRAME)
  const query = () => {
    const { typing: _, ...rest } = looking
    return { ...rest, limit: page() }
  }
  let now: Snapshot = await takeSnapshot(flags, query(), signal)
  let earlier: Snapshot | undefined
  let trouble: string | undefined

  function draw(): void {
    const width = output.columns || 80
    const painted = overview(now, earlier, paint)
    const lines = overview(now, earlier, plain).map((line, index) =>
      line.length > width ? cutText(line, width) : (painted[index] ?? ''),
    )
    head = lines.length
    const table = sensorTable(now.sensors.items.slice(0, page()), now.at, paint, width)
    const foot = paint(trouble === undefined ? 'dim' : 'red', cutText(trouble ?? footOf(now, looking), width))
    const blank = Math.max(0, (output.rows || 24) - head - 1 - table.length - 1)
    const all = [...lines, '', ...table, ...new Array<string>(blank).fill(''), foot]
    output.write(`${HOME}${all.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`)
  }

  /** Keeps what was seen last if the gateway does not answer any more. */
  async function refresh(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      trouble = undefined
    } catch (error) {
      trouble = `${error instanceof Error ? error.message : error}; still trying`
    }
    if (!done.signal.aborted) draw()
  }

  function onKeys(input: string): void {
    const before = looking
    for (const key of keysOf(input)) {
      const next = pressKey(looking, key, page())
      if (next === 'quit') return stop()
      looking = next
    }
    if (looking === before) return
    if (looking.offset >= now.sensors.total && looking.offset > 0)
      looking = { ...looking, offset: before.offset }
    draw()
    const asked = looking
    void refresh(async () => {
      const sensors = await lookAtSensors(flags, query(), done.signal)
      if (asked === looking) now = { ...now, sensors }
    })
  }

  const leave = () => output.write(LEAVE)
  process.once('exit', leave)
  output.write(ENTER)
  output.on('resize', draw)
  input.setRawMode(true)
  input.setEncoding('utf8').on('data', onKeys).resume()
  try {
    draw()
    for (;;) {
      await pause(flags.interval, done.signal)
      if (done.signal.aborted) return
      await refresh(async () => {
        const asked = looking
        const next = await takeSnapshot(flags, query(), done.signal)
        earlier = now
        now = asked === looking ? next : { ...next, sensors: now.sensors }
      })
    }
  } finally {
    stop()
    output.off('resize', draw)
    input.off('data', onKeys).pause()
    input.setRawMode(false)
    process.off('exit', leave)
    leave()
  }
}

function footOf({ sensors }: Snapshot, { offset, sort, descending, search, typing }: Looking): string {
  const { total, items } = sensors
  if (typing) return `search: ${escapeControls(search)}▏  ${total} found   Enter keeps it, Esc drops it`
  const shown = items.length === 0 ? 'none' : `${offset + 1}-${offset + items.length}`
  const found = search === '' ? '' : ` with "${escapeControls(search)}"`
  const order = `by ${sort}${descending ? ', reversed' : ''}`
  return `${shown} of ${total}${found} ${order}   q quit  s sort  r reverse  / search  ↑↓ page`
}
