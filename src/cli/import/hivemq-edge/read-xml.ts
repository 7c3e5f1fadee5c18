// Reads the XML configuration of HiveMQ Edge into settings with their lines.

import { DOMParser, type Element } from '@xmldom/xmldom'
import { ImportError, type Setting, type SourceFile } from '../settings.ts'

/** Elements that may stand several times beside each other; they get a number in their paths. */
const LISTS = new Set([
  'udp-listener',
  'predefined-topic',
  'address',
  'mqtt-bridge',
  'tcp-listener',
  'tls-tcp-listener',
])

/** Every element that holds text or nothing, with the path of names below the root. Throws `ImportError`. */
export function readXml({ name, text }: SourceFile): Setting[] {
  const problems: string[] = []
  let root: Element | null = null
  try {
    const parser = new DOMParser({
      onError: (level, message) => {
        if (level !== 'warning') problems.push(String(message).split('\n')[0] ?? '')
      },
    })
    root = parser.parseFromString(text.replace(/^\uFEFF/, ''), 'text/xml').documentElement
  } catch (error) {
    if (problems.length === 0)
      problems.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'no XML')
  }
  if (problems[0] !== undefined || root === null)
    throw new ImportError(`${name}: is no XML: ${problems[0] ?? 'it is empty'}`)
  if (root.localName !== 'hivemq')
    throw new ImportError(`${name}: the root is <${root.localName}>, expected <hivemq>, as in config.xml`)
  const settings: Setting[] = []
  walk(root, '', name, settings)
  return settings
}

function walk(element: Element, path: string, file: string, settings: Setting[]): void {
  const counts = new Map<string, number>()
  for (const child of Array.from(element.childNodes)) {
    if (child.nodeType !== 1) continue
    const inner = child as Element
    const name = inner.localName ?? inner.nodeName
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    const key = [path, name, ...(LISTS.has(name) ? [String(count)] : [])].filter(Boolean).join('.')
    if (Array.from(inner.childNodes).some((one) => one.nodeType === 1)) walk(inner, key, file, settings)
    else
      settings.push({
        key,
        value: (inner.textContent ?? '').trim(),
        place: `${file}:${inner.lineNumber ?? 1}`,
      })
  }
}
