// The page of the REST API, in Markdown, of its OpenAPI description: every request, and every object that it speaks of.

import type { ApiDescription, ApiOperation, ApiSchema } from './api-description.ts'

/** Text of the description in Markdown: nothing in it is markup. */
const plain = (text: string): string =>
  text
    .replace(/[\\`*_[\]{}<>|~]/g, '\\$&')
    .replace(/\s+/g, ' ')
    .trim()
const code = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `\`${text.replaceAll('|', '\\|').replaceAll('`', "'")}\``
}

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1)
const anchorOf = (heading: string): string => heading.toLowerCase().replace(/[^a-z0-9 -]/g, '')

/** What a schema is, in a few words; objects of their own have a heading further down, and are linked. */
function typeText(schema: ApiSchema | undefined): string {
  if (schema === undefined) return ''
  if (schema.$ref !== undefined) return `[${nameOf(schema.$ref)}](#${anchorOf(nameOf(schema.$ref))})`
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ')
  if (schema.const !== undefined) return code(schema.const)
  const choices = schema.anyOf ?? (schema.type === undefined ? schema.oneOf : undefined)
  if (choices !== undefined) return [...new Set(choices.map(typeText))].join(' or ')
  if (schema.type === 'array') return `list of ${typeText(schema.items) || 'values'}`
  const type = typeof schema.type === 'string' ? schema.type : (schema.type ?? []).join(' or ')
  if (type === 'object' && schema.properties === undefined && typeof schema.additionalProperties === 'object')
    return `object of ${typeText(schema.additionalProperties)}`
  return [type, boundsOf(schema)].filter((part) => part !== '').join(', ')
}

function boundsOf({ minimum, maximum, minLength, maxLength }: ApiSchema): string {
  const range = (least: number | undefined, most: number | undefined, unit: string) => {
    if (least === undefined && most === undefined) return ''
    if (most === undefined) return `at least ${least}${unit}`
    return least === undefined ? `at most ${most}${unit}` : `${least} to ${most}${unit}`
  }
  return [range(minimum, maximum, ''), range(minLength, maxLength, ' characters')]
    .filter((part) => part !== '')
    .join(', ')
}

interface Row {
  readonly name: string
  readonly schema: ApiSchema
  readonly required: boolean
  readonly description: string
}

/** The properties of an object, and of what is in it without a name of its own. */
function rowsOf(schema: ApiSchema, prefix = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const name = `${prefix}${key}`
    const row: Row = {
      name,
      schema: inner,
      required: schema.required?.includes(key) ?? false,
      description: inner.description ?? '',
    }
    const nested = inner.type === 'array' && inner.items !== undefined ? inner.items : inner
    return [row, ...rowsOf(nested, nested === inner ? `${name}.` : `${name}[].`)]
  })
}

function table(rows: readonly Row[]): string[] {
  if (rows.length === 0) return []
  const said = rows.map(({ schema, description }) => {
    const fallback = schema.default === undefined ? '' : `Default: ${code(schema.default)}.`
    return [plain(description), fallback].filter((part) => part !== '').join(' ')
  })
  const isExplained = said.some((text) => text !== '')
  const lines = rows.map(({ name, schema, required }, row) => {
    const start = `| ${code(name)}${required ? '' : ' (optional)'} | ${typeText(schema)} |`
    return isExplained ? `${start} ${said[row]} |` : start
  })
  return [
    ...(isExplained ? ['| name | type | |', '|---|---|---|'] : ['| name | type |', '|---|---|']),
    ...lines,
    '',
  ]
}

/** The schema and the media type of a body; the first one, of which there is no second. */
function bodyOf(body: ApiOperation['requestBody']): readonly [string, ApiSchema | undefined] | undefined {
  const [first] = Object.entries(body?.content ?? {})
  return first && [first[0], first[1].schema]
}

function operationPart(method: string, path: string, operation: ApiOperation): string[] {
  const { summary = path, description = '', parameters = [], requestBody, responses = {} } = operation
  const parts = [`### ${plain(summary)}`, '', '```http', `${method.toUpperCase()} ${path}`, '```', '']
  if (description !== '') parts.push(plain(description), '')
  const asked = parameters.map(({ name, schema = {}, required = false, description: text, in: place }) => {
    const inner = text ?? schema.description ?? ''
    return { name, schema, required, description: place === 'path' ? `in the path; ${inner}` : inner }
  })
  parts.push(...table(asked))
  const sent = bodyOf(requestBody)
  if (sent !== undefined) {
    const [type, schema] = sent
    parts.push(`Body, ${code(type)}. ${plain(schema?.description ?? '')}`, '', ...table(rowsOf(schema ?? {})))
  }
  parts.push('Answers:', '')
  for (const [status, response] of Object.entries(responses)) {
    const [type, schema] = bodyOf(response) ?? []
    const what = type === undefined ? '' : `: ${typeText(schema)}, ${code(type)}`
    parts.push(`- **${status}** ${plain(response.description ?? '')}${what}`)
    const rows = schema?.$ref === undefined ? rowsOf(schema ?? {}) : []
    if (rows.length > 0) parts.push('', ...table(rows))
  }
  return [...parts, '']
}

/** The whole page. */
export function restApiPage({ info, paths, components = {} }: ApiDescription): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'others'))]
  const lines = [
    '# REST API',
    '',
    `${plain(info.description ?? '')} This page is made of the description that a gateway of version ${plain(info.version)} gives at`,
    '`/api/openapi.json`, on the address of its console.',
    '',
  ]
  for (const tag of tags) {
    lines.push(`## ${tag.slice(0, 1).toUpperCase()}${plain(tag.slice(1))}`, '')
    for (const { method, path, operation } of operations)
      if ((operation.tags?.[0] ?? 'others') === tag) lines.push(...operationPart(method, path, operation))
  }
  lines.push('## Objects', '')
  for (const [name, schema] of Object.entries(components.schemas ?? {})) {
    lines.push(`### ${plain(schema.title ?? name)}`, '')
    if (schema.description !== undefined) lines.push(plain(schema.description), '')
    const rows = rowsOf(schema)
    lines.push(...(rows.length > 0 ? table(rows) : [typeText(schema), '']))
  }
  return `${lines.join('\n').trimEnd()}\n`
}
