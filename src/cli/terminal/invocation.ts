// How this program is called again, for hints that can be pasted into a shell.

import { basename, relative } from 'node:path'

/** A word for a POSIX shell, in quotes where it needs them. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** `mqttsn` as it was called: by that name, by npx or npm, or by Node. */
export function invocation(
  argv: readonly string[] = process.argv,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (env['npm_command'] !== undefined || env['npm_lifecycle_event'] !== undefined) return 'npx mqttsn'
  const [, program = ''] = argv
  if (/^mqttsn(\.\w+)?$/.test(basename(program))) return 'mqttsn'
  if (!/^cli\.[jt]s$/.test(basename(program))) return 'mqttsn' // within another program, such as a test
  const near = relative(process.cwd(), program)
  return `node ${shellWord(near.startsWith('..') ? program : near)}`
}
