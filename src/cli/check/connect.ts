// `check --connect`: tries the way to the broker and every login that the configuration gives, and says what is wrong.

import type { Config, SensorRule } from '../../config/schema.ts'
import { brokerUrls } from '../../config/sections/addresses.ts'
import { expandTemplate } from '../../config/sections/template.ts'
import { upstreamOptions } from '../../gateway/open-broker.ts'
import { engineOf } from '../../gateway/open-store.ts'
import { silentLog } from '../../log.ts'
import { missingAddresses } from '../../upstream/probe/local-addresses.ts'
import { tryLogin } from '../../upstream/probe/login.ts'
import { probe, probeFrom, type Step } from '../../upstream/probe/steps.ts'
import type { Identity } from '../../upstream/upstream.ts'

/** One thing that was tried; `about`: which key of the configuration says what. */
export interface Tried extends Step {
  readonly about: string
}

/** Milliseconds for one step, but no more than `broker.connectTimeout` for a login. */
const TIMEOUT = 5000

/**
 * Tries name, port and TLS of the broker, then a login for the gateway and one for each rule of `sensors` with credentials of
 * its own. A running gateway and its sensors are left alone: the logins have ClientIds of their own. Holds no secret.
 */
export async function tryBroker(config: Config): Promise<Tried[]> {
  const { url } = config.broker
  if (url === 'embedded') {
    return [{ about: 'broker.url', step: 'name', ok: true, says: 'the embedded broker runs in the gateway' }]
  }
  const missing = await missingAddresses(config.broker.localAddresses)
  if (missing.length > 0)
    return missing.map(({ index, says }) => ({ about: localKey(index), step: 'from', ok: false, says }))
  const tried = await tryLocalAddresses(config)
  if (typeof url === 'string') return [...tried, ...(await tryUrl(config, url, 'broker.url'))]
  for (const [i, one] of url.entries()) tried.push(...(await tryUrl(config, one, `broker.url[${i}]`)))
  return tried
}

const localKey = (index: number): string => `broker.localAddresses[${index}]`

/** Whether a way leads from each address of this machine to each broker of the list. */
async function tryLocalAddresses({ broker }: Config): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const [index, address] of broker.localAddresses.entries()) {
    for (const url of brokerUrls(broker)) {
      const step = await probeFrom(url, address, TIMEOUT)
      if (step !== undefined) tried.push({ about: localKey(index), ...step })
    }
  }
  return tried
}

async function tryUrl(config: Config, url: string, about: string): Promise<Tried[]> {
  const options = upstreamOptions(config, config.broker, { url, log: silentLog })
  const tried: Tried[] = (await probe(url, options.tls, TIMEOUT)).map((step) => ({ about, ...step }))
  // A broker may ask for a certificate that only sensors have: whether that is a mistake shows at the logins.
  if (tried.some(({ ok, step }) => !ok && step !== 'tls')) return tried
  const { clientId } = options.own
  const filled = expandTemplate(clientId, { installation: 'check' })
  const own: Identity = { ...options.own, clientId: filled === clientId ? `${clientId}-check` : filled }
  tried.push({ about: 'broker', ...(await tryLogin({ ...options, own }, own)) })
  for (const [i, rule] of config.sensors.entries()) {
    if (!hasCredentials(rule)) continue
    tried.push({ about: `sensors[${i}]`, ...(await tryLogin(options, sampleOf(rule, config))) })
  }
  return tried
}

/** Tries whether sessions can be kept in the database, for a gateway that keeps them in one. A running gateway is left alone. */
export async function tryStore({ store }: Config): Promise<Tried[]> {
  if (store.type !== 'postgres') return []
  const { tryEngine } = await import('../../store/postgres/try-engine.ts')
  return [
    { about: 'store.url', step: 'login', ...(await tryEngine(engineOf(store), store.replicated ?? false)) },
  ]
}

/** One line for each, as people read it. */
export const triedText = ({ about, step, ok, says }: Tried): string =>
  `${ok ? 'ok    ' : 'FAILED'} ${step.padEnd(5)} ${about}: ${says}`

const hasCredentials = ({ username, password, cert, deny }: SensorRule): boolean =>
  !deny && Boolean(username || password || cert)

/** Somebody whom the rule is for: its pattern with something in place of the wildcards. */
function sampleOf(rule: SensorRule, { gateway }: Config): Identity {
  const clientId = rule.match.replaceAll('*', 'check').replaceAll('?', 'x')
  const fill = (text: string | undefined) => text && expandTemplate(text, { clientId, gatewayId: gateway.id })
  return {
    clientId: expandTemplate(rule.clientId, { clientId, gatewayId: gateway.id }),
    username: fill(rule.username),
    password: fill(rule.password),
    cert: rule.cert,
    key: rule.key,
  }
}
