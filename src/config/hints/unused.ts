// What is legal in a configuration and has no effect, or another one than was probably meant: it fits nothing, or what others took.

import { peersOf } from '../contradictions/listener-peers.ts'
import type { Config } from '../schema.ts'
import { REFERENCED } from '../schema.ts'
import { brokerUrls, parseListenerUrl } from '../sections/addresses.ts'
import { matchesEverything } from '../sections/glob.ts'
import { containsNetwork, parseNetwork, wholeNetwork } from '../sections/networks.ts'
import { isLinkAddress } from '../sections/peers.ts'
import { coversPattern, meantFilter, shortestOf, strangePattern } from './patterns.ts'

/** Says `text` with a value in it, unless that came from a reference and so may be secret. */
type Showing = (path: string, value: string, text: (shown: string) => string) => string

const showing = (config: Config): Showing => {
  const referenced = new Set(config[REFERENCED] ?? [])
  return (path, value, text) => text(referenced.has(path) ? '' : JSON.stringify(value))
}

function* patternWarnings(config: Config): Generator<string> {
  const show = showing(config)
  const all = [
    ...(['sensors', 'predefined', 'queues'] as const).flatMap((section) =>
      config[section].map(({ match }, i) => ({ path: `${section}[${i}].match`, match, of: 'ClientId' })),
    ),
    ...config.sensors.flatMap(({ identity = [] }, i) =>
      identity.map((match, k) => ({ path: `sensors[${i}].identity[${k}]`, match, of: 'identity' })),
    ),
  ]
  for (const { path, match, of } of all) {
    const strange = strangePattern(match.replace(/\$\{\w+\}/g, 'x'))
    const { clientIdLength } = config.limits
    if (strange !== undefined) {
      const { what, meant = '' } = strange
      yield show(path, meant, (shown) => {
        const remedy = shown === '' || meant === '' ? '' : `; write ${shown}`
        return `${path}: looks like ${what}, and fits hardly any ${of}: only * and ? are wildcards${remedy}`
      })
    } else if (of === 'ClientId' && shortestOf(match) > clientIdLength) {
      yield `${path}: fits no ClientId, as none may be longer than limits.clientIdLength (${clientIdLength})`
    }
  }
}

function* filterWarnings(config: Config): Generator<string> {
  const show = showing(config)
  const all = [
    ...config.qosMinusOne.topics.map((filter, k) => ({ path: `qosMinusOne.topics[${k}]`, filter })),
    ...config.sensors.flatMap((rule, i) =>
      (['publish', 'subscribe'] as const).flatMap((key) =>
        (rule[key] ?? []).map((filter, k) => ({ path: `sensors[${i}].${key}[${k}]`, filter })),
      ),
    ),
    ...config.queues.flatMap(({ topics }, i) =>
      topics.map((filter, k) => ({ path: `queues[${i}].topics[${k}]`, filter })),
    ),
  ]
  for (const { path, filter } of all) {
    const meant = meantFilter(filter)
    if (meant === undefined) continue
    yield show(path, meant, (shown) => {
      const remedy = shown === '' ? '' : `; write ${shown}`
      return `${path}: * is a plain character in topics: the wildcards are + for one level and # for the rest${remedy}`
    })
  }
}

/** All lists of networks, each with its path. */
function networksOf({
  listeners,
  sensors,
  qosMinusOne,
}: Config): { readonly path: string; readonly networks: readonly string[] }[] {
  return [
    ...listeners.flatMap((listener, i) =>
      (['allow', 'deny', 'forwarders'] as const).map((key) => ({
        path: `listeners[${i}].${key}`,
        networks: listener[key],
      })),
    ),
    ...sensors.map(({ from }, i) => ({ path: `sensors[${i}].from`, networks: from })),
    { path: 'qosMinusOne.from', networks: qosMinusOne.from },
  ]
}

function* networkWarnings(config: Config): Generator<string> {
  const show = showing(config)
  for (const { path, networks } of networksOf(config)) {
    for (const [k, network] of networks.entries()) {
      const whole = wholeNetwork(network)
      if (whole === undefined || whole === network) continue
      const at = `${path}[${k}]`
      yield show(at, whole, (shown) => {
        const meaning = shown === '' ? 'all of the network' : shown
        return `${at}: has host bits, and means ${meaning}; for one address leave out the "/" and what follows`
      })
    }
  }
}

const isFamily = (network: string, version: 4 | 6): boolean =>
  parseNetwork(network)?.family === (version === 4 ? 'ipv4' : 'ipv6')
const overlap = (a: string, b: string): boolean => containsNetwork(a, b) || containsNetwork(b, a)

function* nodeWarnings(config: Config): Generator<string> {
  if (config.listeners.some((listener) => peersOf(listener).nodes)) return
  for (const { path, networks } of networksOf(config)) {
    if (path.startsWith('listeners')) continue // an error
    for (const [k, entry] of networks.entries())
      if (isLinkAddress(entry))
        yield `${path}[${k}]: fits nothing, as no listener has nodes with link addresses: they are on radios and behind forwarders`
  }
}

function* reachWarnings({ listeners, sensors }: Config): Generator<string> {
  for (const [i, { url, allow, deny, forwarders }] of listeners.entries()) {
    const path = `listeners[${i}]`
    const version = parseListenerUrl(url)?.version
    for (const [key, networks] of Object.entries({ allow, deny, forwarders })) {
      for (const [k, network] of networks.entries()) {
        if (version === 4 && isFamily(network, 6))
          yield `${path}.${key}[${k}]: fits nothing, as the listener has an IPv4 address`
      }
    }
    const hearsNobody =
      allow.length > 0 && allow.every((one) => deny.some((other) => containsNetwork(other, one)))
    if (hearsNobody) yield `${path}.deny: covers all of "allow", so that nothing is heard`
    for (const [k, network] of forwarders.entries()) {
      if (allow.length > 0 && !allow.some((one) => isLinkAddress(one) || overlap(one, network)))
        yield `${path}.forwarders[${k}]: fits nothing, as it lies outside of "allow"`
    }
  }
  const heard = listeners.every(({ allow }) => allow.length > 0)
    ? listeners.flatMap(({ allow }) => allow)
    : undefined
  for (const [i, { from, deny }] of sensors.entries()) {
    if (heard === undefined || deny) continue
    for (const [k, network] of from.entries()) {
      if (!isLinkAddress(network) && !heard.some((one) => isLinkAddress(one) || overlap(one, network)))
        yield `sensors[${i}].from[${k}]: fits nothing, as it lies outside of "allow" of every listener`
    }
  }
}

function* orderWarnings({ sensors, broker, admission }: Config): Generator<string> {
  // a list or service may name the rule that holds, whichever else fits
  const isAssigned = admission.sensors !== undefined || admission.http !== undefined
  for (const [i, { match, clientId, deny }] of sensors.entries()) {
    const first = sensors.findIndex(
      (earlier) => !matchesEverything(earlier.match) && coversPattern(earlier.match, match),
    )
    if (first < i && first >= 0 && !isAssigned) {
      yield `sensors[${i}]: never used, as sensors[${first}] fits all that it fits; order rules from special to general`
    }
    const isForMany = /[*?]/.test(match) && !deny
    if (isForMany && !/(?<!\$)\$\{(?:clientId|identity)\}/.test(clientId)) {
      yield `sensors[${i}].clientId: is the same for all sensors of the rule, of which only one can be connected; it should hold "\${clientId}"`
    }
  }
  const urls = brokerUrls(broker)
  for (const [i, url] of urls.entries())
    if (urls.indexOf(url) < i) yield `broker.url[${i}]: the same as broker.url[${urls.indexOf(url)}]`
}

function* hostWarnings({ console }: Config): Generator<string> {
  for (const [i, host] of console.hosts.entries())
    if (/:\/\/|\/|:\d+$/.test(host))
      yield `console.hosts[${i}]: fits nothing: it is a name alone, without http://, port and path`
}

/** What has no effect, or another one than was probably meant, one line each. */
export const unusedWarnings = (config: Config): string[] => [
  ...patternWarnings(config),
  ...filterWarnings(config),
  ...networkWarnings(config),
  ...nodeWarnings(config),
  ...reachWarnings(config),
  ...orderWarnings(config),
  ...hostWarnings(config),
]
