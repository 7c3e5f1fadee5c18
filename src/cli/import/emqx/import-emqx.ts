// From the MQTT-SN gateway of EMQX: the section `gateway.mqttsn`, its export as JSON, and the plugin of version 4.

import { escapeTemplate } from '../../../config/sections/template.ts'
import { type Draft, noteLeftovers, Secret, type Tree } from '../draft.ts'
import { type Setting, Settings, type SourceFile } from '../settings.ts'
import { importEmqxBroker, importEmqxListeners } from './emqx-listeners.ts'
import { readHocon } from './hocon.ts'

const PROGRAM = "EMQX's MQTT-SN gateway"

/** Settings with which this gateway has nothing to do, and what to use instead. */
const WITHOUT: Readonly<Record<string, string>> = {
  enable_stats: 'no counterpart: figures are always counted; see /metrics and the console',
  idle_timeout:
    'no counterpart: who has not connected keeps nothing here; timers.inactivity is for sensors with keep-alive 0',
  mountpoint:
    'no counterpart: topics reach the broker as sensors name them. The same effect has "mountpoint" of a listener of EMQX (listeners.tcp.NAME) that only this gateway uses',
  authentication:
    'no counterpart: the broker decides about logins; EMQX does so with the authentication of its MQTT listeners',
}

/** Whether EMQX takes this for true. */
const isTrue = (value: string) => value === 'true' || value === 'on'

/** Reads files into the draft. Later files win, as they do in EMQX. */
export function importEmqx(files: readonly SourceFile[], draft: Draft): void {
  let found: Setting[] = []
  for (const file of files) {
    const { settings, replaced, includes } = readHocon(file, found)
    found = settings
    for (const setting of replaced) draft.note(setting, 'not used: a later list replaces it')
    for (const { name, place } of includes)
      draft.note(place, `include ${name}: is not read; name it as a further FILE`)
  }
  const all = new Settings(withoutEarlier(found, draft))
  importPlugin(all, draft)
  const section = sectionOf(all)
  if (section === undefined) draft.note('gateway.mqttsn', 'no such section is here')
  else importSection(all, section, draft)
  importEmqxBroker(all, draft)
  noteOthers(all, section, draft)
}

/** Settings without those that later ones of the same path replace. */
function withoutEarlier(settings: readonly Setting[], draft: Draft): Setting[] {
  const last = new Map(settings.map((setting) => [setting.key, setting]))
  const replaced = settings.filter((setting) => last.get(setting.key) !== setting)
  for (const setting of replaced) {
    if (/mqttsn|^mqtt\.sn/.test(setting.key))
      draft.note(setting, `not used: ${last.get(setting.key)?.place} counts`)
  }
  return [...last.values()]
}

/** Where the section stands: in a whole configuration, under `gateway`, or alone, as the API gives it. */
function sectionOf(settings: Settings): string | undefined {
  const [shallowest] = settings
    .left()
    .flatMap(({ key }) => /^(?:.*\.)?mqttsn(?=\.)/.exec(key)?.[0] ?? [])
    .sort((a, b) => a.length - b.length)
  if (shallowest !== undefined) return shallowest
  const known = ['gateway_id', 'predefined', 'enable_qos3', 'broadcast', 'subs_resume', 'listeners']
  return known.some((key) => settings.left(key).length > 0) ? '' : undefined
}

function importSection(settings: Settings, section: string, draft: Draft): void {
  const at = (key: string) => (section === '' ? key : `${section}.${key}`)
  const take = (key: string) => settings.take(at(key))

  const enabled = take('enable')
  if (enabled && !isTrue(enabled.value))
    draft.note(enabled, 'was switched off in EMQX; nothing is switched off here')
  draft.setWhole(['gateway', 'id'], take('gateway_id'))
  const minusOne = take('enable_qos3')
  if (minusOne) draft.set(['qosMinusOne', 'enabled'], isTrue(minusOne.value), minusOne)

  const rule: Tree = draft.add('sensors', { match: '*', asleepConnect: 'resume' })
  draft.comment(rule, 'EMQX answers the CONNECT of a sensor that sleeps by going on with its session')
  const resume = take('subs_resume')
  if (resume && isTrue(resume.value)) draft.set(['sensors', 0, 'reRegister'], 'always', resume)
  else if (resume) draft.note(resume, 'false is nearest to reRegister "ifUnconfirmed", which holds by itself')
  importIdentity(settings, at('clientinfo_override'), draft)
  importPredefined(settings, at('predefined'), draft)
  importEmqxListeners(settings, at('listeners'), draft, take('broadcast'))

  // what the API says beside the settings
  for (const key of [
    'name',
    'status',
    'created_at',
    'started_at',
    'stopped_at',
    'current_connections',
    'max_connections',
    'node_status',
  ])
    settings.takeBelow(at(key))
  for (const [key, why] of Object.entries(WITHOUT)) {
    const found = settings.takeBelow(at(key))
    if (found[0]) draft.note({ place: found[0].place, key: at(key) }, why)
  }
}

/** User name, password and ClientId that EMQX gives to its clients. */
function importIdentity(settings: Settings, key: string, draft: Draft): void {
  for (const [theirs, ours] of [
    ['clientid', 'clientId'],
    ['username', 'username'],
    ['password', 'password'],
  ] as const) {
    const setting = settings.take(`${key}.${theirs}`)
    if (setting === undefined) continue
    const text = translated(setting.value)
    if (text === undefined)
      draft.note(
        setting,
        'holds a variable without counterpart here, where only the ClientId can be filled in; left out',
      )
    else if (ours === 'password' && text === escapeTemplate(setting.value))
      draft.set(['sensors', 0, ours], new Secret('sensor-password', setting.value), setting)
    else draft.set(['sensors', 0, ours], text, setting)
  }
}

/** EMQX's variables as ours, undefined if one has no counterpart. */
function translated(value: string): string | undefined {
  const parts = value.split(/(\$\{[^}]*\})/)
  const texts = parts.map((part) => {
    if (!part.startsWith('${')) return escapeTemplate(part)
    return /^\$\{(?:ConnInfo|ClientInfo)\.clientid\}$/i.test(part) ? `\${clientId}` : undefined
  })
  return texts.includes(undefined) ? undefined : texts.join('')
}

function importPredefined(settings: Settings, key: string, draft: Draft): void {
  const topics: Record<string, string> = {}
  const from: Setting[] = []
  for (const i of settings.names(key)) {
    const id = settings.take(`${key}.${i}.id`)
    const topic = settings.take(`${key}.${i}.topic`)
    const place = id ?? topic
    if (id && topic && /^\d+$/.test(id.value)) {
      if (topics[id.value] !== undefined) draft.note(id, `topic id ${id.value} again: the last one counts`)
      topics[id.value] = escapeTemplate(topic.value)
      from.push(id)
    } else if (place) draft.note(place, 'has no whole number as id, or no topic; left out')
  }
  if (from[0])
    draft.comment(draft.add('predefined', { match: '*', topics }), `from ${key} (${from[0].place})`)
}

/** `mqtt.sn.*` of the plugin of EMQX 4. */
function importPlugin(settings: Settings, draft: Draft): void {
  const key = 'mqtt.sn'
  if (settings.left(key).length === 0) return
  const take = (name: string) => settings.take(`${key}.${name}`)
  draft.setWhole(['gateway', 'id'], take('gateway_id'))
  const minusOne = take('enable_qos3')
  if (minusOne) draft.set(['qosMinusOne', 'enabled'], isTrue(minusOne.value), minusOne)
  const rule = draft.add('sensors', { match: '*', asleepConnect: 'resume' })
  draft.comment(rule, 'EMQX answers the CONNECT of a sensor that sleeps by going on with its session')
  const username = take('username')
  const password = take('password')
  if (username) draft.setText(['sensors', 0, 'username'], username)
  if (password) draft.set(['sensors', 0, 'password'], new Secret('sensor-password', password.value), password)
  const resume = take('subs_resume')
  if (resume && isTrue(resume.value)) draft.set(['sensors', 0, 'reRegister'], 'always', resume)
  else if (resume) draft.note(resume, 'off is nearest to reRegister "ifUnconfirmed", which holds by itself')

  const topics: Record<string, string> = {}
  for (const id of settings.names(`${key}.predefined.topic`)) {
    const topic = take(`predefined.topic.${id}`)
    // the plugin's own sample calls id 0 reserved
    if (topic && id === '0') draft.note(topic, 'id 0 is reserved; left out')
    else if (topic) topics[id] = escapeTemplate(topic.value)
  }
  if (Object.keys(topics).length > 0)
    draft.comment(draft.add('predefined', { match: '*', topics }), `from ${key}.predefined.topic`)
  importEmqxListeners(settings, `${key}.listeners`, draft, take('advertise_duration'), take('port'))
  for (const name of ['enable_stats', 'idle_timeout'] as const) {
    const setting = take(name)
    if (setting) draft.note(setting, WITHOUT[name] ?? '')
  }
  noteLeftovers(draft, settings.takeBelow(key), 'the MQTT-SN plugin of EMQX 4')
}

/** What is left: unknown keys of the section one by one; the rest of the broker's configuration stays with the broker. */
function noteOthers(settings: Settings, section: string | undefined, draft: Draft): void {
  if (section !== undefined && section !== '') noteLeftovers(draft, settings.takeBelow(section), PROGRAM)
  const others = new Map<string, Setting>()
  for (const setting of settings.left()) {
    const [first = '', second] = setting.key.split('.')
    const name = first === 'gateway' ? `gateway.${second}` : first
    if (!others.has(name)) others.set(name, setting)
  }
  if (section === '') noteLeftovers(draft, settings.left(), PROGRAM)
  else
    for (const [name, { place }] of others)
      draft.note({ place, key: name }, 'does not concern MQTT-SN; it stays with EMQX')
}
