// Writes a configuration for people: sections with a comment each, in JSON with comments or in YAML.

import { loadYaml } from './reading/yaml.ts'

/** One key of the configuration, and what is said of it. */
export interface CommentedSection {
  readonly key: string
  readonly value: unknown
  readonly comment: readonly string[]
  /** only an example: it is commented out */
  readonly example?: true
}

/** The text of a file with these sections, in their order. */
export function writeCommented(
  head: readonly string[],
  sections: readonly CommentedSection[],
  syntax: 'JSON' | 'YAML',
): string {
  return syntax === 'YAML' ? writeYaml(head, sections) : writeJson(head, sections)
}

function writeJson(head: readonly string[], sections: readonly CommentedSection[]): string {
  const blocks = sections.map(({ key, value, comment, example }) => {
    const text = `${JSON.stringify(key)}: ${jsonText(value)},`
    const lines = text.split('\n').map((line) => (example ? `// ${line}` : line))
    return [...comment.map((line) => `// ${line}`), ...lines].map((line) => `  ${line}`).join('\n')
  })
  return [...head.map((line) => `// ${line}`), '{', blocks.join('\n\n'), '}', ''].join('\n')
}

/** Short objects and lists on one line, as people write them. */
function jsonText(value: unknown, indent = ''): string {
  const inner = `${indent}  `
  const isList = Array.isArray(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const parts = (below: string) =>
    isList
      ? value.map((one) => jsonText(one, below))
      : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${jsonText(one, below)}`)
  const line = parts(inner).join(', ')
  if (indent.length + line.length <= 90 && !line.includes('\n')) return isList ? `[${line}]` : `{ ${line} }`
  const lines = parts(inner)
    .map((part) => `${inner}${part},\n`)
    .join('')
  return isList ? `[\n${lines}${indent}]` : `{\n${lines}${indent}}`
}

function writeYaml(head: readonly string[], sections: readonly CommentedSection[]): string {
  const { stringify } = loadYaml()
  const blocks = sections.map(({ key, value, comment, example }) => {
    const text = stringify({ [key]: value }, { lineWidth: 0, defaultStringType: 'PLAIN' }).trimEnd()
    const lines = text.split('\n').map((line) => (example ? `# ${line}` : line))
    return [...comment.map((line) => `# ${line}`), ...lines].join('\n')
  })
  return [head.map((line) => `# ${line}`).join('\n'), ...blocks, ''].join('\n\n').replace(/\n+$/, '\n')
}
