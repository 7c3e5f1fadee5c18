// The words that JSON Schemas are made of.

/** A JSON Schema, as data. */
export type Schema = Readonly<Record<string, unknown>>

/** See `optional`. */
export interface Optional {
  readonly optional: Schema
}
/** A schema for every property of a type; `optional` for those that may be missing. */
export type Properties<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? Optional : Schema }

const isOptional = (property: Schema | Optional): property is Optional => 'optional' in property
/** A property that may be missing. */
export const optional = (schema: Schema): Optional => ({ optional: schema })

/** An object with these properties. */
export function object<T>(properties: Properties<T>): Schema {
  const entries = Object.entries<Schema | Optional>(properties)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, one]) => [name, isOptional(one) ? one.optional : one]),
    ),
    required: entries.filter(([, one]) => !isOptional(one)).map(([name]) => name),
  }
}

export const text = (description: string): Schema => ({ type: 'string', description })
export const whole = (description: string): Schema => ({ type: 'integer', minimum: 0, description })
export const yesNo = (description: string): Schema => ({ type: 'boolean', description })
export const time = (description: string): Schema => ({
  type: 'number',
  description: `${description}, milliseconds since 1970`,
})
export const counts = (description: string): Schema => ({
  type: 'object',
  additionalProperties: { type: 'integer' },
  description,
})
/** A list. */
export const listOf = (items: Schema): Schema => ({ type: 'array', items })
/** A reference to one of `components`. */
export const ref = (name: string): Schema => ({ $ref: `${name}#` })
