// Who owns which of the 1,024 slots: a picture of a square each, and the same in words and numbers.

import type { ClusterInfo } from '../../contract/cluster.ts'
import { count } from '../parts/format.ts'

/** Squares in a row of the picture. */
const WIDTH = 64
/** Colours there are; they begin again after that, and the numbers below tell nodes apart. */
const INKS = 8

/** The class of a member's colour, by its place. */
export const inkOf = (place: number): string => (place < 0 ? 'slots-none' : `slots-${place % INKS}`)

interface Share {
  readonly place: number
  readonly name: string
  readonly slots: readonly number[]
}

/** What each member has, and what nobody has. */
export function sharesOf({ members, owners }: Pick<ClusterInfo, 'members' | 'owners'>): Share[] {
  const slots = new Map<number, number[]>(members.map((_, place) => [place, []]))
  for (const [slot, place] of owners.entries()) {
    const list = slots.get(place) ?? []
    list.push(slot)
    slots.set(place, list)
  }
  return [...slots]
    .filter(([place, list]) => list.length > 0 || place >= 0)
    .map(([place, list]) => ({ place, name: members[place]?.node ?? 'nobody', slots: list }))
}

/** Squares that lie side by side are drawn as one. */
function outline(slots: readonly number[]): string {
  let path = ''
  for (let i = 0; i < slots.length; ) {
    const first = slots[i] ?? 0
    let length = 1
    while (slots[i + length] === first + length && (first + length) % WIDTH !== 0) length += 1
    path += `M${first % WIDTH} ${Math.floor(first / WIDTH)}h${length}v1h-${length}z`
    i += length
  }
  return path
}

export function SlotMap({ cluster }: { cluster: ClusterInfo }) {
  const shares = sharesOf(cluster)
  const owned = shares.filter(({ slots }) => slots.length > 0)
  const all = cluster.owners.length
  const words = owned.map(({ name, slots }) => `${name} ${count(slots.length)}`).join(', ')
  return (
    <>
      <svg
        class="slots"
        viewBox={`0 0 ${WIDTH} ${Math.ceil(all / WIDTH)}`}
        role="img"
        aria-label={`Owners of the ${count(all)} slots: ${words}`}
      >
        {owned.map(({ place, slots }) => (
          <path key={place} class={inkOf(place)} d={outline(slots)} />
        ))}
      </svg>
      <ul class="legend" aria-label="Slots by owner">
        {shares.map(({ place, name, slots }) => (
          <li key={place}>
            <span class={`ink ${inkOf(place)}`} aria-hidden="true" /> {name} <b>{count(slots.length)}</b>{' '}
            <span class="muted">{`${((100 * slots.length) / all).toFixed(slots.length === 0 ? 0 : 1)} %`}</span>
          </li>
        ))}
      </ul>
    </>
  )
}
