// The clients and predefined topics of Eclipse Paho's gateway as rules of this one.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { escapeTemplate } from '../../../config/sections/template.ts'
import { type Draft, patternOf, type Tree } from '../draft.ts'
import type { PahoClient, PahoFiles, PahoLogin, PahoSwitches } from './files.ts'

const KNOWN_FLAGS = ['unstableLine', 'secureConnection', 'QoS-1', 'forwarder']

/** Adds a rule; every sensor logs in with the user name and password of the gateway. */
function addRule(draft: Draft, rule: Tree, { username, password, passwordFrom }: PahoLogin): Tree {
  const login = {
    ...(username && { username: escapeTemplate(username.value) }),
    ...(password && { password }),
  }
  const added = draft.add(
    'sensors',
    rule.deny === true ? rule : { ...rule, ...login, asleepConnect: 'resume' },
  )
  if (rule.deny !== true) {
    const from = [username, passwordFrom].flatMap((one) => (one ? `${one.key} (${one.place})` : []))
    if (from.length > 0) draft.comment(added, `username, password: ${from.join(', ')}`)
  }
  return added
}

/** Writes a rule per client, and gives whether their connections use TLS. */
export function importPahoClients(
  clients: readonly PahoClient[],
  switches: PahoSwitches,
  draft: Draft,
  login: PahoLogin,
): boolean {
  const { authentication, forwarder, qosMinusOne } = switches
  const used: PahoClient[] = []
  for (const client of clients) {
    noteFlags(client, draft)
    const has = (flag: string) => client.flags.includes(flag)
    if (has('forwarder')) {
      if (forwarder) used.push(client)
      else draft.note(client.place, `the forwarder ${client.id} is left out, as Forwarder does not say YES`)
      continue
    }
    const isSender = has('QoS-1') && qosMinusOne !== undefined
    if (authentication || isSender) used.push(client)
    const rule = addRule(draft, { match: patternOf(client.id, client.place, draft) }, login)
    draft.comment(rule, `${client.id} (${client.place})`)
    // Paho takes nothing but PUBLISH with QoS -1 from these
    if (isSender)
      draft.comment(rule, 'publishes with QoS -1, which names no ClientId; a CONNECT would be taken too')
    if (authentication || isSender) pinToAddress(rule, client, draft)
  }
  if (qosMinusOne)
    draft.note(
      qosMinusOne,
      'Paho takes such messages from listed addresses only; here every address may send them that listeners[].allow admits',
    )
  if (clients.some(({ flags }) => !flags.includes('forwarder')) && !authentication)
    draft.note('clients', 'ClientAuthentication does not say YES: other sensors may connect too, as in Paho')
  const last = addRule(draft, { match: '*', ...(authentication && { deny: true }) }, login)
  if (authentication) draft.comment(last, `deny: ${authentication.key} (${authentication.place})`)

  const secure = used.filter(({ flags }) => flags.includes('secureConnection'))
  if (secure.length > 0 && secure.length < used.length) {
    const names = secure.map(({ id }) => id).join(', ')
    draft.note(
      'clients',
      `secureConnection of ${names}: broker.url is one for all sensors, so that all use TLS`,
    )
  }
  return secure.length > 0
}

/** An address counts without its port: sensors get another one at every start, and rules here know networks only. */
function pinToAddress(rule: Tree, client: PahoClient, draft: Draft): void {
  if (client.ip === undefined) {
    draft.note(
      client.place,
      `${client.address} is no IP address: the rule of ${client.id} holds for every address`,
    )
    return
  }
  rule.from = [client.ip]
  draft.comment(rule, `from: ${client.address}; its port does not count here`)
}

function noteFlags({ id, flags, place }: PahoClient, draft: Draft): void {
  if (flags.includes('unstableLine'))
    draft.note(place, `unstableLine of ${id}: no counterpart, and without effect in version 1.5.1 of Paho`)
  for (const flag of flags.filter((one) => !KNOWN_FLAGS.includes(one)))
    draft.note(place, `${flag} of ${id}: is not known as a flag of Paho's gateway; it has no effect here`)
  for (const flag of KNOWN_FLAGS.filter((one) => id.includes(one) && !flags.includes(one)))
    draft.note(place, `${id}: Paho finds the flag ${flag} in this name; here it is a name only`)
}

/** Writes the predefined topics: those for everyone, and those of single sensors. */
export function importPahoTopics(
  { topics, clients }: PahoFiles,
  { predefined, qosMinusOne }: PahoSwitches,
  draft: Draft,
) {
  const senders = new Set(clients.filter(({ flags }) => flags.includes('QoS-1')).map(({ id }) => id))
  for (const id of [...new Set(topics.map((one) => one.id))]) {
    const own = topics.filter((one) => one.id === id)
    const match = id === '*' ? '*' : patternOf(id, own[0]?.place ?? '', draft)
    const names: Record<string, string> = {}
    for (const { topic, topicId, place } of own) {
      const number = String(Number(topicId))
      if (names[number] !== undefined)
        draft.note(place, `topic id ${number} of ${id} again: the first one counts`)
      else names[number] = escapeTemplate(topic)
    }
    const entry = draft.add('predefined', { match, topics: names })
    draft.comment(entry, `${own.length === 1 ? 'one line' : `${own.length} lines`} from ${own[0]?.place}`)
    if (qosMinusOne && senders.has(id))
      draft.note(
        own[0]?.place ?? '',
        `${id} sends with QoS -1: without a connection only topics of "*" are known, as in Paho 1.5.1`,
      )
  }
  if (topics.length > 0 && !predefined)
    draft.note(
      'predefined topics',
      'PredefinedTopic does not say YES: Paho did not use them, this gateway will',
    )
}
