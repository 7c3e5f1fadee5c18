// What `mqttsn init` wants to know, and the configuration that follows from the answers.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references are written into the file

import { hostOf } from '../../config/sections/addresses.ts'
import { isLoopback } from '../../config/sections/networks.ts'
import type { CommentedSection } from '../../config/write.ts'
import { brokerUrlOf, CONSOLE, GATEWAY, urlOf } from '../terminal/addresses.ts'

/** All answers; each is one line of text, empty for "none". */
export interface Answers {
  listen: string
  allow: string
  broker: string
  username: string
  passwordEnv: string
  ca: string
  prefix: string
  predefined: string
  console: string
}

/** One question. `hint` is shown with it, `fallback` is the answer of who says nothing. */
export interface Question {
  readonly name: keyof Answers
  readonly asks: string
  fallback(answers: Answers): string
  /** whether it is worth asking */
  isOpen(answers: Answers): boolean
  /** what is wrong with an answer */
  fault(answer: string): string | undefined
}

const always = () => true
const fine = () => undefined
const listOf = (text: string): string[] => text.split(/[,\s]+/).filter((part) => part !== '')
const listenUrl = (text: string): string | undefined =>
  urlOf(text, GATEWAY)?.replace('//localhost:', '//127.0.0.1:')
const isOpenTo = (url: string | undefined): boolean =>
  url !== undefined && !isLoopback(hostOf(url.replace(/^udp:/, 'http:')))
const isTls = (text: string): boolean => /^(mqtts|wss):/.test(text)
const pairsOf = (text: string): [id: string, topic: string][] =>
  listOf(text).map((pair) => {
    const [id = '', topic = ''] = pair.split(/=(.*)/s)
    return [id, topic]
  })

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [
  {
    name: 'listen',
    asks: 'Address and port that sensors send to; 0.0.0.0:1884 = every address of this machine',
    fallback: () => '127.0.0.1:1884',
    isOpen: always,
    fault: (text) =>
      /^udp:\/\/(\d+\.\d+\.\d+\.\d+|\[.+\]):\d+$/.test(listenUrl(text) ?? '')
        ? undefined
        : 'a numeric address and a port, such as 0.0.0.0:1884',
  },
  {
    name: 'allow',
    asks: 'Networks that sensors are in, such as 10.0.0.0/8; none = anyone may send',
    fallback: () => '',
    isOpen: ({ listen }) => isOpenTo(listenUrl(listen)),
    fault: fine,
  },
  {
    name: 'broker',
    asks: 'MQTT broker: host:port, mqtts://host:port, or "embedded" for a trial without one',
    fallback: () => '127.0.0.1:1883',
    isOpen: always,
    fault: (text) =>
      brokerUrlOf(text) === undefined
        ? 'host:port, or a url that begins with mqtt://, mqtts://, ws:// or wss://'
        : undefined,
  },
  {
    name: 'ca',
    asks: "File with the broker's CA certificate; none = the CAs of this system",
    fallback: () => '',
    isOpen: ({ broker }) => isTls(broker),
    fault: fine,
  },
  {
    name: 'username',
    asks: 'User name of the gateway at the broker; none = no login',
    fallback: () => '',
    isOpen: ({ broker }) => broker !== 'embedded',
    fault: fine,
  },
  {
    name: 'passwordEnv',
    asks: 'Environment variable that holds the password, which is not written to the file',
    fallback: () => 'MQTT_PASSWORD',
    isOpen: ({ username }) => username !== '',
    fault: (text) =>
      /^[A-Za-z_]\w*$/.test(text) ? undefined : 'the name of a variable, such as MQTT_PASSWORD',
  },
  {
    name: 'prefix',
    asks: "What stands before sensors' ClientIds at the broker, so that none takes the place of another client",
    fallback: ({ broker }) => (broker === 'embedded' ? '' : 'sn-'),
    isOpen: ({ broker }) => broker !== 'embedded',
    fault: (text) => (/[\p{C}$]/u.test(text) ? 'a text without "$" and control characters' : undefined),
  },
  {
    name: 'predefined',
    asks: 'Predefined topic ids, such as 1=home/button 2=home/door; none = none',
    fallback: () => '',
    isOpen: always,
    fault: (text) =>
      pairsOf(text).every(([id, topic]) => /^[1-9]\d{0,4}$/.test(id) && topic !== '')
        ? undefined
        : 'id=topic, several with blanks between',
  },
  {
    name: 'console',
    asks: 'Address of the console in a browser; "off" = none',
    fallback: () => '127.0.0.1:8885',
    isOpen: always,
    fault: (text) =>
      text === 'off' || urlOf(text, { ...CONSOLE, others: [] }) !== undefined
        ? undefined
        : 'host:port, or "off"',
  },
]

/** The environment variables that the configuration of these answers needs. */
export const variablesOf = ({ username, passwordEnv, console }: Answers): string[] => [
  ...(username === '' ? [] : [passwordEnv]),
  ...(isOpenTo(consoleUrl(console)) ? ['CONSOLE_TOKEN'] : []),
]

const consoleUrl = (text: string): string | undefined =>
  text === 'off' ? undefined : urlOf(text, { ...CONSOLE, others: [] })

/** The configuration, with a comment for each section. */
export function sectionsOf(answers: Answers, schema: string | undefined): CommentedSection[] {
  const { listen, allow, username, passwordEnv, ca, prefix, predefined } = answers
  const broker = brokerUrlOf(answers.broker) ?? answers.broker
  const topics = Object.fromEntries(pairsOf(predefined))
  const networks = listOf(allow)
  const served = consoleUrl(answers.console)
  const login = username === '' ? {} : { username, password: `\${env:${passwordEnv}}` }
  const tls = ca === '' ? {} : { tls: { ca: `\${file:${ca}}` } }
  return [
    ...(schema === undefined
      ? []
      : [{ key: '$schema', value: schema, comment: ['For editors: names and checks every key.'] }]),
    {
      key: 'listeners',
      value: [{ url: listenUrl(listen) ?? listen, ...(networks.length > 0 && { allow: networks }) }],
      comment: [
        'Where sensors are heard, one entry per UDP socket; "allow" names the networks that may send.',
      ],
    },
    {
      key: 'broker',
      value: { url: broker, ...login, ...tls },
      comment: [
        'The MQTT broker, where every sensor gets a connection of its own. ${env:NAME} is an environment variable,',
        '${file:path} the content of a file; user name and password are those of the gateway itself.',
      ],
    },
    {
      key: 'sensors',
      value: [{ match: '*', ...(prefix !== '' && { clientId: `${prefix}\${clientId}` }) }],
      comment: [
        'Rules per ClientId, from special to general; the first that fits counts. * and ? are wildcards. A rule may have a login',
        '("username", "password"), networks ("from"), or refuse ("deny": true).',
      ],
    },
    {
      key: 'predefined',
      value: predefined === '' ? { '1': 'home/button' } : topics,
      comment: ['Topic ids that sensors know without registering them.'],
      ...(predefined === '' && { example: true as const }),
    },
    {
      key: 'console',
      value:
        served === undefined
          ? { enabled: false }
          : { url: served, ...(isOpenTo(served) && { token: '${env:CONSOLE_TOKEN}' }) },
      comment: ['Console, API and metrics over HTTP. Beyond this machine it needs a token.'],
    },
    {
      key: 'store',
      value: { path: 'mqttsn-state' },
      comment: ['Where sessions are kept over a restart; { "type": "memory" } keeps nothing.'],
      example: true,
    },
    { key: 'log', value: { level: 'info' }, comment: ['trace, debug, info, warn, error, fatal or silent.'] },
  ]
}
