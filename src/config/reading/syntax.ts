// Which syntax a configuration file has: YAML if its name ends in .yaml or .yml, else JSON with comments.

import { readJson } from './json.ts'
import { SyntaxProblem, type Written } from './written.ts'
import { readYaml } from './yaml.ts'

/** What the file is called when it is missing or cannot be read. */
export const syntaxOf = (file: string): 'JSON' | 'YAML' => (/\.ya?ml$/i.test(file) ? 'YAML' : 'JSON')

/** What a YAML file begins with, and no JSON file: a key without quotes, a document's mark, a comment. */
const YAML_BEGIN = /^\uFEFF?(?:\s*#.*\n)*\s*(?:---|[A-Za-z_$][\w$]*\s*:(?:\s|$))/

/** Reads a configuration by the name of its file; throws `SyntaxProblem`. */
export function readWritten(source: string, file: string): Written {
  if (syntaxOf(file) === 'YAML') return readYaml(source)
  try {
    return readJson(source)
  } catch (error) {
    if (!(error instanceof SyntaxProblem) || !YAML_BEGIN.test(source)) throw error
    const { found, expected, place } = error
    throw new SyntaxProblem(found, `${expected}; a file in YAML has a name that ends in .yaml or .yml`, place)
  }
}
