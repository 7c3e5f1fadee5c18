// Builds the documentation site from docs/ into site/dist: `npm run site`.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildSite, OUT, SiteError } from './site/build.ts'

const HELP = `Usage: npm run site -- [options]

Builds the documentation into ${OUT}/: every page of docs/, the interfaces for programs, the REST API.
A link that leads nowhere, to a page or to a heading, makes it fail. What is built are plain files, for any web server.

  --base PATH   path of the site on its server, such as /mqtt-sn-gateway/ (default: /)
  --help        this text

Exit codes: 0 built, 1 not built, 2 wrong options.
`

const wrong = (message: string): never => {
  process.stderr.write(`${message}\n\n${HELP}`)
  process.exit(2)
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        base: { type: 'string', default: '/' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error))
  }
}

const { base, help } = readOptions()
if (help) {
  process.stdout.write(HELP)
  process.exit(0)
}
if (!/^\/(?:[\w.~-]+\/)*$/.test(base)) wrong(`--base ${base}: a path that begins and ends with /`)

try {
  await buildSite({ base, say: (line) => process.stdout.write(`${line}\n`) })
} catch (error) {
  if (!(error instanceof SiteError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}
process.stdout.write(`built: ${join(OUT, 'index.html')}\n`)
