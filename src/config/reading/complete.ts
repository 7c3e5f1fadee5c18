// From what was parsed to what the gateway works with: short forms become long ones, what depends on others is filled in.

import { resolve } from 'node:path'
import type { z } from 'zod'
import { readEngineUrl, withoutUser } from '../../store/postgres/engine/url.ts'
import { usualMessageSize, withoutKey } from '../../transport/line/url.ts'
import {
  type BrokerConfig,
  type Config,
  type configSchema,
  type PredefinedTopics,
  REFERENCED,
} from '../schema.ts'
import { brokerUrls, parseBrokerUrl } from '../sections/addresses.ts'
import { broker } from '../sections/broker.ts'
import { matchesEverything } from '../sections/glob.ts'
import { sensor } from '../sections/sensors.ts'
import { expandTemplate } from '../sections/template.ts'
import { isObject } from './path.ts'

type Parsed = z.output<typeof configSchema>
type Dtls = NonNullable<Parsed['listeners'][number]['dtls']>

// User name and password in the url are the gateway's own; left there, every sensor's connection would use them too.
function completeBroker(written: Parsed['broker'], gatewayId: number): BrokerConfig {
  const { url, ...settings } = typeof written === 'string' ? broker.parse({ url: written }) : written
  const fill = (text: string | undefined) => (text ? expandTemplate(text, { gatewayId }) : undefined)
  const inUrl =
    settings.username || settings.password ? undefined : brokerUrls({ url }).map(parseBrokerUrl).find(hasUser)
  const bare = (one: string) => one.replace(/:\/\/[^/?#]*@/, '://')
  return {
    ...settings,
    url: typeof url === 'string' ? bare(url) : url.map(bare),
    clientId: fill(settings.clientId) ?? '',
    username: fill(settings.username) ?? (inUrl?.username || undefined),
    password: fill(settings.password) ?? (inUrl?.password || undefined),
  }
}

const hasUser = (parts: ReturnType<typeof parseBrokerUrl>): boolean =>
  Boolean(parts?.username || parts?.password)

// The paths of referenced texts, in terms of the long forms.
function movedPaths(paths: readonly string[], written: unknown): string[] {
  const { predefined } = isObject(written) ? written : {}
  return paths.flatMap((path) => {
    if (path === 'broker' || /^broker\.url(\[\d+\])?$/.test(path)) {
      return [path === 'broker' ? 'broker.url' : path, 'broker.username', 'broker.password']
    }
    if (path === 'store.url') return [path, 'store.username', 'store.password']
    if (path.startsWith('predefined.') && isObject(predefined))
      return path.replace('predefined.', 'predefined[0].topics.')
    const listener = /^(listeners\[\d+\])\.url$/.exec(path)
    return listener ? [path, `${listener[1]}.name`] : path
  })
}

// Topics for everyone hold no variables; escapes in them are resolved here, because these topics are not expanded later.
function completePredefined(written: Parsed['predefined']): PredefinedTopics[] {
  const entries = Array.isArray(written) ? written : [{ match: '*', topics: written }]
  return entries.map(({ match, topics }) => {
    if (!matchesEverything(match)) return { match, topics }
    const plain = Object.entries(topics).map(([id, topic]) => [id, expandTemplate(topic, {})])
    return { match, topics: Object.fromEntries(plain) }
  })
}

/** The user in the url is not shown where the url is. */
function completeStore({ url, ...store }: Parsed['store'], directory: string): Parsed['store'] {
  const read = url === undefined ? undefined : readEngineUrl(url)
  const { username, password } = read === undefined || 'expected' in read ? {} : read
  const given = store.username === undefined && store.password === undefined ? { username, password } : {}
  return {
    ...store,
    path: resolve(directory, store.path),
    ...(url !== undefined && { url: withoutUser(url) }),
    ...(given.username !== undefined && { username: given.username }),
    ...(given.password !== undefined && { password: given.password }),
  }
}

/** Files are found from wherever the gateway is started. */
function completeDtls(written: Dtls, directory: string): Dtls {
  const { psk, keyLog } = written
  return {
    ...written,
    psk: psk && { ...psk, file: psk.file === undefined ? undefined : resolve(directory, psk.file) },
    keyLog: keyLog === undefined ? undefined : resolve(directory, keyLog),
  }
}

/**
 * The effective configuration. `written` is the tree that was parsed, `referenced` the paths in it that are secret,
 * `directory` where relative paths start from.
 */
export function completeConfig(
  parsed: Parsed,
  written: unknown,
  referenced: readonly string[],
  directory: string,
): Config {
  const { $schema: _, listeners, sensors, predefined, store, status, ...rest } = parsed
  const everyone = sensors.some((rule) => matchesEverything(rule.match))
  return {
    ...rest,
    listeners: listeners.map(({ dtls, ...listener }) => ({
      ...listener,
      name: listener.name ?? withoutKey(listener.url),
      maxMessageSize: listener.maxMessageSize ?? usualMessageSize(listener.url),
      dtls: dtls && completeDtls(dtls, directory),
    })),
    broker: completeBroker(parsed.broker, parsed.gateway.id),
    sensors: everyone ? sensors : [...sensors, sensor.parse({})],
    predefined: completePredefined(predefined),
    // its devices show what stands in the status topics
    status: { ...status, enabled: status.enabled || parsed.homeAssistant.discovery },
    store: completeStore(store, directory),
    [REFERENCED]: movedPaths(referenced, written),
  }
}
