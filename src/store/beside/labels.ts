// Names, descriptions and tags of sensors as they were edited by people: a small file beside the sessions, written as a whole.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** What people have said of one sensor. */
export interface StoredLabel {
  readonly name: string | undefined
  readonly description: string | undefined
  readonly tags: readonly string[]
}

const FILE = 'labels.json'

/** Sensors that may have one. */
const MOST = 20_000

/** All that were kept; `put` writes them and throws an Error if that fails, with nothing changed. */
export interface Labels {
  readonly all: ReadonlyMap<string, StoredLabel>
  put(clientId: string, label: StoredLabel | undefined): void
}

/** `folder`: that of the store, which exists, or undefined: nothing is kept then. A file that cannot be read counts as empty. */
export function openLabels(folder: string | undefined): Labels {
  const path = folder === undefined ? undefined : join(folder, FILE)
  let all = path === undefined ? new Map<string, StoredLabel>() : read(path)
  return {
    get all() {
      return all
    },
    put(clientId, label) {
      const next = new Map(all)
      if (label === undefined) next.delete(clientId)
      else next.set(clientId, label)
      if (next.size > MOST) throw new Error(`no more than ${MOST} sensors may have a label`)
      if (path !== undefined) write(path, next)
      all = next
    },
  }
}

function read(path: string): Map<string, StoredLabel> {
  const labels = new Map<string, StoredLabel>()
  try {
    const tree: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof tree !== 'object' || tree === null) return labels
    for (const [clientId, one] of Object.entries(tree)) {
      const { name, description, tags = [] } = one as Partial<StoredLabel>
      labels.set(clientId, { name, description, tags: tags.map(String) })
    }
  } catch {
    // none was written yet, or somebody has edited it to something else
  }
  return labels
}

/** Another file first, which then takes its place: a crash leaves the one or the other. */
function write(path: string, labels: ReadonlyMap<string, StoredLabel>): void {
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(Object.fromEntries(labels), undefined, 1)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
}
