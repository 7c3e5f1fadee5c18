// Keys as other programs call them (Mosquitto, EMQX, Paho's gateway, MQTT.js, OpenSSL), and what stands for them here. Pure.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are to be written by people

const LISTEN = 'the address sensors send to is "listeners": [{ "url": "udp://0.0.0.0:1884" }]'
const BROKER = 'the broker is "broker": { "url": "mqtt://HOST:1883" }'
const TLS = 'TLS is "broker": { "url": "mqtts://HOST:8883", "tls": { "ca": "${file:ca.pem}" } }'
const PREDEFINED = 'predefined topics are "predefined": { "1": "topic/name" }'
const RULES =
  'who may connect, and as whom at the broker, is said in "sensors": [{ "match": "meter-*", ... }]'
const FOLDER = 'sessions are kept in "store": { "path": "FOLDER" }, or nowhere with "type": "memory"'
const DATABASE = 'a database is "type": "postgres" with "url": "postgres://USER@HOST/DATABASE"'
const LOG = 'the log is "log": { "level": "debug" }'
const CONSOLE = 'console, API and metrics are "console": { "url": "http://127.0.0.1:8885" }'
const DISCOVERY = 'how the gateway makes itself known is "discovery": { "group": "225.1.1.1" } of a listener'
const VERIFY = 'to check the broker\'s certificate or not is "tls": { "verify": true }'
const CA = 'the CA is "tls": { "ca": "${file:ca.pem}" }'
const CERT = 'certificate and key are "tls": { "cert": "${file:gateway.pem}", "key": "${file:gateway.key}" }'
const NO_PASSPHRASE = 'a key has no passphrase here: let only the gateway read its file'
const VERSION = 'the MQTT version is "version": "5" or "3.1.1"'
const URL_BROKER = 'host, port and protocol stand in "url": "mqtt://HOST:1883"'
const URL_LISTENER = 'address and port stand in "url": "udp://0.0.0.0:1884"'
const URL_CONSOLE = 'address and port stand in "url": "http://127.0.0.1:8885"'

/** Several names of one thing, written without case, dashes and underscores. */
const all = (names: string, hint: string): [string, string][] => names.split(' ').map((name) => [name, hint])

const VERIFYING = all(
  'rejectunauthorized insecure tlsinsecure insecureskipverify skipverify verifypeer verifycert verifycertificate checkcertificate allowselfsigned tlsverify sslverify strictssl certificatevalidation peerverification bridgeinsecure',
  VERIFY,
)
const AUTHORITY = all(
  'ca cafile capath cacert cacertfile cacerts rootca rootcafile trust truststore bridgecafile bridgecapath',
  CA,
)
const IDENTITY = all(
  'cert certfile certificate certkey certpath clientcert key keyfile keypath privatekey clientkey pem pfx keystore bridgecertfile bridgekeyfile',
  CERT,
)
const PASSPHRASE = all('passphrase keypassword keypassphrase', NO_PASSPHRASE)

const FOREIGN: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  '': new Map([
    ...all(
      'listener listen bind bindaddress bindinterface port udp udpport address host gatewayportno mqttsnport socketdomain',
      LISTEN,
    ),
    ...all(
      'brokername brokerhost brokerport brokerportno brokerurl mqtthost mqttport mqttbroker mqtturl mqttserver server upstream mqtt bridge bridges connection connections remote url',
      BROKER,
    ),
    ...all('brokersecureportno ssl tls secure', TLS),
    ...VERIFYING,
    ...AUTHORITY,
    ...IDENTITY,
    ...all('gatewayid gwid id gatewayname', 'the gateway\'s id is "gateway": { "id": 1 }'),
    ...all(
      'loginid user username remoteusername password remotepassword pass',
      'the login is "broker": { "username": ..., "password": "${env:PASSWORD}" }',
    ),
    ...all('predefinedtopic predefinedtopics predefinedtopiclist topics', PREDEFINED),
    ...all(
      'clients client clientslist clientlist clientauthentication clientidprefixes allowanonymous allowzerolengthclientid acl aclfile passwordfile authentication authorization devices sensor',
      RULES,
    ),
    ...all(
      'persistence persistent persistencelocation persistencefile datadir statedir autosaveinterval storage',
      FOLDER,
    ),
    ...all('loglevel logtype logdest logdestination logging logger debug verbose sharedmemory', LOG),
    ...all('dashboard http https api metrics web webui ui prometheus admin httplistener', CONSOLE),
    ...all(
      'broadcast advertise advertisement searchgw multicast multicastip multicastportno multicastgroup discovery broadcastinterval',
      DISCOVERY,
    ),
    ...all('forwarder forwarders forwarderslist', 'forwarders are "forwarders": ["10.0.0.7"] of a listener'),
    ...all(
      'maxconnections maxclients maxsensors maxnumberofclients',
      'the most sensors are "limits": { "sensors": 10000 }',
    ),
    ...all(
      'maxqueuedmessages messagequeue maxinflightmessages',
      'what may wait is "limits": { "queuedMessages": 100 }',
    ),
    ...all(
      'idletimeout persistentclientexpiration sessionexpiry sessionexpiryinterval',
      'how long a session is kept is "timers": { "keepSessions": "7d" }',
    ),
    ...all(
      'enableqos3 qos3 qosm1 qosminus1 qosminus',
      'PUBLISH without connection is "qosMinusOne": { "enabled": true }',
    ),
    ...all('aggregatinggateway aggregating', 'every sensor has a connection of its own here: leave it out'),
  ]),
  broker: new Map([
    ...all(
      'host hostname hosts port address addresses server servers brokers urls uri endpoint ip protocol scheme transport',
      URL_BROKER,
    ),
    ...all('ssl secure usetls usessl', TLS),
    ...VERIFYING,
    ...AUTHORITY,
    ...IDENTITY,
    ...PASSPHRASE,
    ...all('servername sni', 'the name to expect is "tls": { "serverName": ... }'),
    ...all('user login loginid remoteusername', 'the user name is "username"'),
    ...all('pass passwd pwd secret remotepassword', 'the password is "password": "${env:PASSWORD}"'),
    ...all('protocolversion mqttversion protover protoversion bridgeprotocolversion protocolid', VERSION),
    ...all('clean cleansession cleanstart', 'sensors say that themselves when they connect: leave it out'),
    ...all(
      'reconnectperiod reconnectinterval reconnectdelay retryinterval restarttimeout',
      'pauses between attempts are "reconnect": { "min": "1s", "max": "60s" }',
    ),
    ...all('timeout connectiontimeout', 'the time for an attempt is "connectTimeout": "4s"'),
    ...all('clientidprefix prefix', 'a prefix for sensors is "sensors": [{ "clientId": "sn-${clientId}" }]'),
    ...all(
      'topic topics remoteclientid',
      'every sensor publishes and subscribes for itself here: leave it out',
    ),
  ]),
  'broker.tls': new Map(
    [
      ...VERIFYING,
      ...AUTHORITY.map(([name]): [string, string] => [name, 'the CA is "ca": "${file:ca.pem}"']),
      ...IDENTITY.map(([name]): [string, string] => [
        name,
        'they are "cert": "${file:gateway.pem}" and "key": "${file:gateway.key}"',
      ]),
      ...PASSPHRASE,
      ...all('sni hostname host checkservername', 'the name to expect is "serverName"'),
      ...all('enabled enable on', 'TLS is used where the url begins with mqtts:// or wss://'),
    ].map(([name, hint]): [string, string] => [
      name,
      hint === VERIFY ? 'to check the certificate or not is "verify": true' : hint,
    ]),
  ),
  listeners: new Map([
    ...all(
      'port host hostname address addr bind bindaddress ip listen protocol type socketdomain',
      URL_LISTENER,
    ),
    ...all(
      'mtu maxpacketsize maxmessage maxsize maxpacket',
      'the longest datagram is "maxMessageSize": 1472',
    ),
    ...all('multicast multicastgroup broadcast group advertise', DISCOVERY),
    ...all('allowlist whitelist networks', 'networks that may send here are "allow": ["10.0.0.0/8"]'),
    ...all('denylist blacklist blocklist', 'networks that may not are "deny": ["10.0.0.0/8"]'),
    ...all(
      'dtls tls psk ssl certfile keyfile cafile',
      'this listener is plain UDP: take networks for "allow"',
    ),
    ...all('predefined predefinedtopics', PREDEFINED),
  ]),
  sensors: new Map([
    ...all(
      'pattern id client clientids clientidpattern name device regex regexp filter',
      'which sensors it is for is "match": "meter-*"',
    ),
    ...all('user login', 'the user name is "username"'),
    ...all('pass passwd pwd secret token', 'the password is "password": "${env:PASSWORD}"'),
    ...all(
      'ip address addresses network networks source',
      'where they may come from is "from": ["10.0.0.0/8"]',
    ),
    ...all('allow allowed enabled permit', 'sensors may connect unless "deny" is true'),
    ...all('prefix clientidprefix', 'a prefix is "clientId": "sn-${clientId}"'),
    ...all(
      'tls certfile keyfile certificate privatekey',
      'they are "cert": "${file:sensor.pem}" and "key": "${file:sensor.key}"',
    ),
    ...all(
      'topics acl subscribe publish permissions',
      'the broker decides who may publish what: give each sensor a login',
    ),
  ]),
  predefined: new Map(
    all('id topic topicid topicname name alias', '"topics": { "1": "topic/name" } holds ids and names'),
  ),
  console: new Map([
    ...all('port host hostname address bind listen', URL_CONSOLE),
    ...all('password pass secret apikey auth user username', 'what lets in is "token"'),
    ...all(
      'tls ssl cert key certfile keyfile',
      'the console has no TLS: put a proxy in front, and name it in "hosts"',
    ),
  ]),
  log: new Map([
    ...all('debug verbose severity loglevel type', 'it is "level": "debug"'),
    ...all(
      'file path dest destination output filename',
      'the log goes to standard output: let whoever starts the gateway write it to a file',
    ),
    ...all('json pretty', 'it is "format": "json"'),
  ]),
  store: new Map([
    ...all('dir folder directory location file datadir', 'the folder is "path"'),
    ...all('kind engine backend', 'it is "type": "lmdb", "memory" or "postgres"'),
    ...all(
      'uri dsn connectionstring connection host hostname server port database dbname db postgresql',
      DATABASE,
    ),
    ...all('enabled persistence persistent', 'nothing is kept with "type": "memory"'),
  ]),
  status: new Map(all('topic topicprefix basetopic root', 'the first part of the topics is "prefix"')),
}

/** A key as it is compared: without case, dashes, underscores and dots. */
export const plainKey = (key: string): string => key.toLowerCase().replace(/[-_.\s]/g, '')

/** What stands here for a key of other programs; `section` is the path without positions. */
export const foreignKeyHint = (section: string, key: string): string | undefined =>
  FOREIGN[section]?.get(plainKey(key))

const PARTS: Readonly<
  Record<string, { readonly scheme: string; readonly host: string; readonly port: number }>
> = {
  broker: { scheme: 'mqtt', host: 'HOST', port: 1883 },
  listeners: { scheme: 'udp', host: '0.0.0.0', port: 1884 },
  console: { scheme: 'http', host: '127.0.0.1', port: 8885 },
}
const HOST_KEYS = new Set([
  'host',
  'hostname',
  'address',
  'addr',
  'bind',
  'bindaddress',
  'ip',
  'server',
  'listen',
])

/** Where a host or a port stands in a key of its own: the url that says both; undefined for other keys. */
export function urlOfParts(section: string, siblings: unknown, key: string): string | undefined {
  const parts = PARTS[section]
  if (parts === undefined || !(plainKey(key) === 'port' || HOST_KEYS.has(plainKey(key)))) return undefined
  const values = Object.entries(Object(siblings))
  const of = (is: (name: string) => boolean, shape: RegExp): string | undefined =>
    values
      .map(([name, value]) => (is(plainKey(name)) && shape.test(String(value)) ? String(value) : undefined))
      .find(Boolean)
  const host = of((name) => HOST_KEYS.has(name), /^[\w.:-]{1,253}$/) ?? parts.host
  const port = of((name) => name === 'port', /^\d{1,5}$/) ?? String(parts.port)
  const scheme = parts.scheme === 'mqtt' && port === '8883' ? 'mqtts' : parts.scheme
  const bare = host
    .replace(/^[a-z]+:\/\//i, '')
    .replace('localhost', section === 'listeners' ? '127.0.0.1' : 'localhost')
  const numeric = /:.*:/.test(bare) ? `[${bare}]` : bare
  return `host and port stand in "url": "${scheme}://${numeric.includes(':') && !numeric.startsWith('[') ? numeric : `${numeric}:${port}`}"`
}
