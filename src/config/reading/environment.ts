// Environment variables that override the file: a prefix, `MQTTSN_` for the gateway, and the path in upper case, `__` between levels.

import { alternatives, knownPaths, type Node, nodesAt, typesOf } from '../model.ts'
import { nearest } from './nearest.ts'
import { isObject, type Path, pathText } from './path.ts'
import type { Located } from './problems.ts'

/** The variables that set the keys of one kind of document. */
export interface Variables {
  /** what their names begin with */
  readonly prefix: string
  /** names that begin so, and are for somebody else */
  isForOthers(name: string): boolean
}

/** Those of the forwarder, which may run beside a gateway. */
export const FORWARD_VARIABLES: Variables = { prefix: 'MQTTSN_FORWARD_', isForOthers: () => false }

// Not for the gateway, but for the commands that look at a running one, or are sensors.
const FOR_COMMANDS = ['MQTTSN_TOKEN', 'MQTTSN_PSK', 'MQTTSN_PSK_FILE']

/** Those of the gateway. */
export const GATEWAY_VARIABLES: Variables = {
  prefix: 'MQTTSN_',
  isForOthers: (name) => FOR_COMMANDS.includes(name) || name.startsWith(FORWARD_VARIABLES.prefix),
}

// Orchestrators set these for every process beside a service called "mqttsn..."; they are not meant as configuration.
const SERVICE =
  /^MQTTSN_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/
const SERVICE_PORT = /^MQTTSN_(?:\w+_)?PORT$/

/** How a key is spelt in an environment variable: `queuedMessages` is `QUEUED_MESSAGES`. */
const shout = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

/** The environment variable for a path: `MQTTSN_LISTENERS__0__URL`. */
export const variableName = (path: Path, { prefix }: Variables = GATEWAY_VARIABLES): string =>
  prefix + path.map((part) => shout(String(part))).join('__')

// The path that a variable names, undefined if the schema has none.
function pathFor(name: string, model: Node, { prefix }: Variables): Path | undefined {
  const path: (string | number)[] = []
  for (const part of name.slice(prefix.length).split('__')) {
    const nodes = nodesAt(model, path).flatMap(alternatives)
    const key = nodes
      .flatMap((node) => Object.keys(node.properties ?? {}))
      .find((known) => shout(known) === part)
    if (key !== undefined && key !== '$schema') path.push(key)
    else if (/^\d{1,5}$/.test(part) && nodes.some((node) => node.items)) path.push(Number(part))
    else if (part !== '' && nodes.some((node) => typeof node.additionalProperties === 'object'))
      path.push(part)
    else return undefined
  }
  return path
}

// As JSON where the place takes more than text and the JSON is of a type that fits there; else as text.
function parse(value: string, nodes: readonly Node[]): unknown {
  const types = typesOf(nodes)
  if (types.has('integer')) types.add('number')
  try {
    const json: unknown = JSON.parse(value)
    const type = Array.isArray(json) ? 'array' : typeof json
    return type !== 'string' && types.has(type) ? json : value
  } catch {
    return value
  }
}

/** A copy of the tree with a value put in; lists grow by one at most, a broker written as url becomes an object. */
function put(tree: unknown, path: Path, value: unknown): unknown {
  const [part, ...rest] = path
  if (part === undefined) return value
  if (typeof part === 'number') {
    const list = tree === undefined ? [] : tree
    if (!Array.isArray(list)) throw new Error('no list there')
    if (part > list.length) throw new Error(`only ${list.length} entries there; positions count from 0`)
    return [...list.slice(0, part), put(list[part], rest, value), ...list.slice(part + 1)]
  }
  const object = typeof tree === 'string' ? { url: tree } : tree === undefined ? {} : tree
  if (!isObject(object)) throw new Error('no object there')
  return { ...object, [part]: put(object[part], rest, value) }
}

/** What the environment makes of a tree. */
export interface Overridden {
  readonly tree: unknown
  /** path (as text) to the variable that set it */
  readonly origins: ReadonlyMap<string, string>
  readonly problems: readonly Located[]
}

/** Puts all of these variables into the tree; unknown ones are problems. */
export function overrideFromEnvironment(
  start: unknown,
  env: Readonly<Record<string, string | undefined>>,
  model: Node,
  variables = GATEWAY_VARIABLES,
): Overridden {
  let tree = start
  const origins = new Map<string, string>()
  const problems: Located[] = []
  const names = Object.keys(env).filter(
    (name) => name.startsWith(variables.prefix) && env[name] !== undefined,
  )
  // in numeric order, so that entry 10 of a list comes after entry 9, and a section before its keys
  for (const name of names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    const value = env[name] ?? ''
    const path = pathFor(name, model, variables)
    if (path === undefined) {
      if (
        variables.isForOthers(name) ||
        SERVICE.test(name) ||
        (SERVICE_PORT.test(name) && /^(tcp|udp|sctp):/.test(value))
      )
        continue
      const expected = 'the name of a configuration key in upper case, with __ between levels'
      const suggestion = nearestVariable(name, model, variables)
      problems.push({ at: [], path: '', source: name, found: 'an unknown variable', expected, suggestion })
      continue
    }
    try {
      tree = put(tree, path, parse(value, nodesAt(model, path)))
      origins.set(pathText(path), name)
    } catch (error) {
      const found = error instanceof Error ? error.message : 'an impossible path'
      problems.push({
        at: path,
        path: pathText(path),
        source: name,
        found,
        expected: 'a place for this value',
      })
    }
  }
  return { tree, origins, problems }
}

// A name with single underscores, or without the section, is a likely slip; compare without them first.
function nearestVariable(name: string, model: Node, variables: Variables): string | undefined {
  const known = knownPaths(model).map((path) => variableName(path, variables))
  const plain = (text: string) => text.replace(/_+/g, '_')
  const numbered = name.replace(/_(\d+)_/g, '_0_')
  const same = known.find((candidate) => plain(candidate) === plain(numbered))
  return same ?? nearest(numbered, known)
}
