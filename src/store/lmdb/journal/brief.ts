// Which records are under way for a moment only, and what of one has changed. Pure.

type Fields = Readonly<Record<string, unknown>>

/** A publish that the broker is to have before its sensor is told: it ends in a moment, or its sensor sends it again. */
export const isBrief = (record: object): boolean =>
  'stage' in record && 'stored' in record && record.stored === false

/** What has changed of a record; undefined: fields of it are gone, so that all of it has to be written. */
export function changesOf(before: object, after: object): Fields | undefined {
  const old = before as Fields
  const changes: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(after)) if (old[field] !== value) changes[field] = value
  for (const field in before) if (!(field in after)) return undefined
  return changes
}
