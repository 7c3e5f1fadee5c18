// The programs of docs/library.md, and what the page says that they print.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'

/** One program of the page. */
export interface Example {
  /** the heading above it */
  readonly title: string
  /** where it was written to */
  readonly file: string
  /** what it prints */
  readonly output: string
}

const EXAMPLE = /^## (.+)$|```js\n([\s\S]*?)```\s+```text\n([\s\S]*?)```/gm

/** Writes every program of the page into a folder from which `mqtt-sn-gateway` can be imported. */
export function writeExamples(folder: string): Example[] {
  mkdirSync(folder, { recursive: true })
  const examples: Example[] = []
  let title = ''
  for (const [, heading, code, output = ''] of readFileSync('docs/library.md', 'utf8').matchAll(EXAMPLE)) {
    if (code === undefined) title = heading ?? ''
    else {
      const file = resolve(folder, `example-${examples.length + 1}.mjs`)
      writeFileSync(file, code)
      examples.push({ title, file, output })
    }
  }
  return examples
}

/** Runs a program as its reader would, and resolves to what it prints. */
export async function runExample({ file }: Example, folder: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], {
    cwd: folder,
    timeout: 20_000,
  })
  return stdout + stderr
}
