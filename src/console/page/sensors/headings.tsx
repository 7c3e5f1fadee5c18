// The headings of the list of sensors: what is sorted by, and in which direction.

import { COLUMNS, type SortKey } from './columns.ts'

interface HeadingsProps {
  readonly sort: SortKey
  readonly descending: boolean
  readonly sortBy: (sort: SortKey) => void
  readonly areAllChosen: boolean
  readonly chooseAll: (areChosen: boolean) => void
}

export function Headings({ sort: present, descending, sortBy, areAllChosen, chooseAll }: HeadingsProps) {
  const order = descending ? 'descending' : 'ascending'
  return (
    <div class="grid-row grid-head" role="row" aria-rowindex={1}>
      {COLUMNS.map(({ name, class: place, sort, tip }) => (
        <div
          key={name}
          class={place}
          role="columnheader"
          aria-sort={sort !== undefined && sort === present ? order : undefined}
        >
          {name === '' ? (
            <input
              type="checkbox"
              checked={areAllChosen}
              aria-label="Choose all that are found"
              onChange={({ currentTarget }) => chooseAll(currentTarget.checked)}
            />
          ) : sort === undefined ? (
            <span data-tip={tip}>{name}</span>
          ) : (
            <button type="button" data-tip={tip} onClick={() => sortBy(sort)}>
              {name}
            </button>
          )}
        </div>
      ))}
    </div>
  )
}
