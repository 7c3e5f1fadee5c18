// What the demo shows: a row per sensor, and the latest happenings. Knows nothing of how it is drawn.

/** Something worth a line. */
export interface Happening {
  readonly at: Date
  readonly who: string
  readonly what: 'state' | 'published' | 'received' | 'note'
  readonly text: string
}

/** One sensor, as the gateway and the sensor itself see it. */
export interface Row {
  readonly name: string
  state: string
  published: number
  received: number
  last: string
}

export interface Board {
  readonly rows: Map<string, Row>
  readonly happenings: Happening[]
  /** Adds a happening and updates the sensor's row. */
  tell(who: string, what: Happening['what'], text: string): void
  /** Is called for every happening from now on. */
  onHappening: (happening: Happening) => void
}

const MOST_HAPPENINGS = 200

/** An empty board. */
export function createBoard(): Board {
  const rows = new Map<string, Row>()
  const happenings: Happening[] = []
  const board: Board = {
    rows,
    happenings,
    onHappening: () => {},
    tell(who, what, text) {
      let row = rows.get(who)
      if (row === undefined) {
        row = { name: who, state: '-', published: 0, received: 0, last: '' }
        rows.set(who, row)
      }
      if (what === 'state') row.state = text
      if (what === 'published') row.published += 1
      if (what === 'received') row.received += 1
      if (what === 'published' || what === 'received')
        row.last = `${what === 'published' ? '→' : '←'} ${text}`
      const happening = { at: new Date(), who, what, text }
      happenings.push(happening)
      if (happenings.length > MOST_HAPPENINGS) happenings.shift()
      board.onHappening(happening)
    },
  }
  return board
}
