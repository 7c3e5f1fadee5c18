// The nodes that share a database, as the one that is asked has seen them last.

import type { FastifyInstance } from 'fastify'
import type {
  ClusterCalls,
  ClusterInfo,
  ClusterLink,
  ClusterLinksInfo,
  ClusterMember,
  RefusedLink,
} from '../../contract/cluster.ts'
import type { GatewayView } from '../../view.ts'
import { times } from '../schemas/secure-schemas.ts'
import { listOf, object, optional, ref, type Schema, text, whole, yesNo } from '../schemas/shapes.ts'

const number = (description: string): Schema => ({ type: 'number', description })
const oneOf = (...words: readonly string[]): Schema => ({ type: 'string', enum: words })

const links = object<ClusterLinksInfo>({
  nodes: listOf(
    object<ClusterLink>({
      node: text('the other node'),
      isUp: yesNo('there is a link'),
      lasting: number('how long that has been so, milliseconds'),
      why: optional(text('why there is none')),
      trip: optional(number('how long a question and its answer take at best, milliseconds')),
      underWay: whole('messages that are on their way to it'),
      mostUnderWay: whole('how many may be: it gets no more while there are so many'),
    }),
  ),
  forwarded: whole('messages of sensors that went on to the nodes that serve them'),
  answered: whole('messages to sensors that left by the nodes that they came through'),
  asked: whole('addresses that the other nodes were asked for'),
  held: whole('messages that were held until it was known who serves their sensors'),
  holding: whole('of these, those that are held now'),
  refused: whole('connections that were refused'),
  lastRefused: optional(
    object<RefusedLink>({
      ago: number('milliseconds since then'),
      address: optional(text('where it came from')),
      node: optional(text('the node that it said to be')),
      why: text('why, for people'),
    }),
  ),
  calls: listOf(
    object<ClusterCalls>({
      node: text('the other node'),
      failed: whole('questions of this console that it has not answered'),
      times,
    }),
  ),
  unshown: whole(
    'what passed between a sensor and this node while another one looked on, and was more than that one is told',
  ),
})

/** For the description of the API. */
export const clusterSchema: Schema & { readonly $id: string } = {
  $id: 'Cluster',
  ...object<ClusterInfo>({
    node: text('the node that was asked'),
    state: oneOf('joining', 'standby', 'taking-over', 'active', 'draining', 'deposed', 'left'),
    hindrance: optional(text('why it does not serve; missing: it does')),
    lease: number('how long a lease is, milliseconds'),
    leaseLeft: number('until its own lease runs out, as it counts, milliseconds; 0: it has none'),
    takeovers: whole('how often it has taken over from another node since its start'),
    shared: yesNo('every node serves its share; otherwise one serves and the others stand by'),
    slots: whole('slots whose sensors it serves now, of 1024'),
    arriving: whole('slots that it takes up now'),
    leaving: whole('slots that it hands over now'),
    engine: object<ClusterInfo['engine']>({
      host: optional(text('the database server, host:port')),
      up: yesNo('it has answered the last time'),
      trouble: optional(text('why it has not')),
      latency: optional(number('how long the last answer took, milliseconds')),
      answeredAgo: optional(number('since when there is none newer, milliseconds')),
      replicated: optional(
        yesNo('what it acknowledges outlives the loss of its machine; missing: not known'),
      ),
      warnings: optional(listOf(text('what is wrong with its settings'))),
    }),
    members: listOf(
      object<ClusterMember>({
        node: text('its name'),
        incarnation: whole('grows with every start'),
        state: oneOf('standby', 'active', 'draining', 'deposed'),
        address: optional(text('where its process shows that it is there')),
        link: optional(text('where other nodes reach it, host:port; missing: one node serves at a time')),
        version: optional(text('of the gateway')),
        leaseLeft: optional(number('until its lease runs out, milliseconds; negative: it has')),
        slots: whole('slots that it owns, of 1024'),
        isSelf: yesNo('it is the one that was asked'),
        lasting: number(
          'how long it has been in this state, as far as the one that was asked has seen, milliseconds',
        ),
        differs: yesNo('it runs with another configuration in what should be the same'),
        differences: listOf(text('a key of the configuration that differs')),
      }),
    ),
    owners: {
      ...listOf({ type: 'integer', minimum: -1 }),
      description:
        'for each of the 1024 slots the place of its owner in members; -1: nobody owns it, or a process that is gone',
    },
    links: optional(links),
  }),
}

/** Adds the route. */
export function serveCluster(app: FastifyInstance, view: Pick<GatewayView, 'cluster' | 'store'>): void {
  app.get(
    '/api/cluster',
    {
      schema: {
        operationId: 'getCluster',
        summary: 'The nodes that share a database, and the slots that they own',
        tags: ['observation'],
        response: {
          200: { description: 'as this node has seen them last', ...ref('Cluster') },
          404: { description: 'there are no others: store.type is not "postgres"', ...ref('Problem') },
        },
      },
    },
    async (_request, reply) => {
      const cluster = view.cluster?.()
      if (cluster !== undefined) {
        const { replicated, warnings } = (await view.store()).engine ?? {}
        return { ...cluster, engine: { replicated, warnings, ...cluster.engine } }
      }
      const message = 'This gateway is no part of a cluster: store.type is not "postgres".'
      return reply.code(404).send({ error: 'no-cluster', message })
    },
  )
}
