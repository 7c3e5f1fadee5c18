// JSON Schemas of the API: what is not named is not sent. They name every property of the types in contract/, or do not compile.

import type {
  BrokerInfo,
  EngineInfo,
  GatewayInfo,
  LinkInfo,
  ListenerInfo,
  SharedConnectionInfo,
  StoreInfo,
} from '../../contract/gateway.ts'
import type { Problem } from '../../contract/routes.ts'
import { clusterSchema } from '../cluster/cluster-route.ts'
import { happenings } from '../happenings.ts'
import { settingsSchemas } from '../settings-routes.ts'
import { topicSchemas } from '../topic-routes.ts'
import { secureInfo } from './secure-schemas.ts'
import { sensorSchemas } from './sensor-schemas.ts'
import { counts, listOf, object, optional, type Schema, text, time, whole, yesNo } from './shapes.ts'

/** What the description calls by name. */
export const components: readonly (Schema & { readonly $id: string })[] = [
  {
    $id: 'Gateway',
    ...object<GatewayInfo>({
      version: text('of the gateway'),
      gwId: whole('GwId'),
      node: text('version of Node.js'),
      clusterNode: optional(text('its name among the nodes that share a database')),
      startedAt: time('start'),
      sensors: counts('sensors by state: all that /api/sensors lists'),
      departed: whole('of these, the ones that have no session any more'),
      forgotten: whole('departed sensors that are not remembered any more, since the start'),
      queuedMessages: whole('messages that wait for sensors'),
      queuedOctets: whole('octets that wait for sensors'),
      queuesFull: yesNo('the limit on what waits for all sensors was reached within the last minute'),
      spooledMessages: whole('acknowledged messages of sensors that wait for the broker'),
      spooledOctets: whole('octets of these'),
      deadLetters: whole('acknowledged messages of sensors that the broker will not have'),
      deadLetterOctets: whole('octets of these'),
      counters: object<GatewayInfo['counters']>({
        receivedDatagrams: whole('datagrams that arrived, from whomever'),
        receivedOctets: whole('octets of these datagrams'),
        sentDatagrams: whole('datagrams that were sent, to sensors and groups'),
        sentOctets: whole('octets of these datagrams'),
        published: whole('application messages to the broker'),
        delivered: whole('application messages from the broker'),
        retransmissions: whole('messages sent again because a sensor did not answer'),
        faults: whole('exceptions caught: each one is a bug'),
        received: counts('messages from sensors by type'),
        sent: counts('messages to sensors by type'),
        dropped: counts('what was discarded, by reason'),
        refusals: counts('how often somebody was refused, by reason'),
        losses: counts('sensors that fell silent: clean, their session was forgotten; kept, it was not'),
      }),
    }),
  },
  {
    $id: 'Listener',
    ...object<ListenerInfo>({
      name: text('as configured'),
      url: text('where it is bound'),
      receiveBuffer: whole('octets granted by the system'),
      receiveBufferAsked: whole('octets asked for'),
      kernelDrops: optional(whole('datagrams lost to a full receive buffer, as of a moment ago')),
      sendErrors: whole('datagrams that could not be sent, and other errors of the socket'),
      secure: optional(secureInfo),
      link: optional({
        description: 'of a line: a serial device, or a connection to a device server',
        ...object<LinkInfo>({
          up: yesNo('it is open'),
          octets: counts('octets, framing included: received and sent'),
          frames: counts('messages: received and sent'),
          errors: counts('octets that were no message, and messages that could not go out, by reason'),
          queue: whole('messages that wait for the line'),
          noise: text('the last octets that were no message'),
          unconfirmed: whole('frames that wait for the confirmation of a radio module'),
          signal: optional(
            object<NonNullable<LinkInfo['signal']>>({
              rssi: optional({ type: 'integer', description: 'of the last message, dBm' }),
              lqi: optional(whole('of the last message, 0 to 255')),
            }),
          ),
          unreachable: object<LinkInfo['unreachable']>({
            count: whole('addresses that could not be reached several times in a row'),
            some: listOf(text('one of them')),
          }),
          connections: optional(
            object<NonNullable<LinkInfo['connections']>>({
              open: whole('modems and bridges that have called'),
              refused: whole('those that were turned away since the start'),
            }),
          ),
        }),
      }),
    }),
  },
  {
    $id: 'Broker',
    ...object<BrokerInfo>({
      url: text('where it is'),
      healthy: yesNo("the gateway's own connection is up"),
      trouble: optional(text('why the broker does not accept the gateway, if it can be reached')),
      version: optional(text('MQTT version, once it is known')),
      openings: whole("how often the gateway's own connection was opened"),
      connected: whole('connections of sensors that are up'),
      connecting: whole('connections of sensors being made'),
      waiting: whole('connections of sensors that wait for their turn'),
      refused: whole('attempts to connect a sensor that failed'),
      lost: whole('connections of sensors that broke'),
      portless: whole('attempts to connect that found no local port'),
      shared: {
        type: 'array',
        description: 'connections that sensors share',
        items: object<SharedConnectionInfo>({
          clientId: text('its ClientId at the broker'),
          connected: yesNo('it is up'),
          sensors: whole('sensors that use it'),
          filters: whole('filters that they have subscribed'),
          waiting: whole('requests that wait for their turn'),
          waitingSensors: whole('sensors whose requests these are'),
          underWay: whole('requests that the broker has not answered'),
          handingOut: whole('messages of the broker that not all their sensors have taken'),
          breaks: whole('how often it broke, since the start'),
          refused: whole('requests for which there was no room in line, since the start'),
        }),
      },
    }),
  },
  {
    $id: 'Store',
    ...object<StoreInfo>({
      type: { type: 'string', enum: ['lmdb', 'memory', 'postgres'] },
      error: optional(text('why the last write failed')),
      groups: whole('writes, each of many changes'),
      seconds: { type: 'number', minimum: 0, description: 'time these took' },
      failures: whole('writes that failed while something waited for them'),
      octets: whole('size on disk'),
      held: whole('answers to sensors and broker that wait for a write'),
      engine: optional(
        object<EngineInfo>({
          host: text('the database server, host:port'),
          up: yesNo('there is a connection, on which it answers'),
          replicated: optional(yesNo('what it acknowledges outlives the loss of its machine')),
          warnings: {
            type: 'array',
            items: text('in words'),
            description: 'what is wrong with its settings',
          },
        }),
      ),
    }),
  },
  clusterSchema,
  ...happenings,
  ...sensorSchemas,
  ...topicSchemas,
  ...settingsSchemas,
  {
    $id: 'Problem',
    ...object<Problem>({
      error: text('what went wrong, for programs'),
      message: text('what went wrong, for people'),
    }),
  },
]
