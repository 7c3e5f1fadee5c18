// How routes that only look are described.

import { listOf, ref, type Schema } from './schemas/shapes.ts'

const node: Schema = {
  type: 'string',
  minLength: 1,
  description: 'the node of a cluster that is to answer, for itself alone',
}

/** The parameters behind the question mark; what is not named is an error. */
export const query = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties: { ...properties, node },
})

/** A route that tells something. */
export const told = (
  operationId: string,
  summary: string,
  schema: Schema,
  description = 'as it is now',
  querystring: Schema = query({}),
) => ({
  schema: {
    operationId,
    summary,
    tags: ['observation'],
    querystring,
    response: { 200: { description, ...schema } },
  },
})

/** A part of a list, and how long all of it is. */
export const pageOf = (name: string): Schema => ({
  type: 'object',
  properties: { total: { type: 'integer' }, items: listOf(ref(name)) },
  required: ['total', 'items'],
})

/** Which part is wanted. */
export const pageQuery = (most: number, usual = 100): Record<string, Schema> => ({
  offset: { type: 'integer', minimum: 0, maximum: 1_000_000_000, default: 0 },
  limit: { type: 'integer', minimum: 1, maximum: most, default: usual },
})

/** Milliseconds since 1970. */
export const moment: Schema = { type: 'number', minimum: 0, maximum: 8.64e15 }
