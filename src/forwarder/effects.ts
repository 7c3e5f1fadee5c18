// What goes into the core of the forwarder with every call, and what comes out of it.

/**
 * What is known of the gateway: `away` = there is no way to it, `unknown` = it was asked and time is not up, `serving`,
 * `refusing` = it answers and does not take encapsulated messages, `not-serving` = it is there and answers no search, `silent`.
 */
export type Standing = 'away' | 'unknown' | 'serving' | 'refusing' | 'not-serving' | 'silent'

/** Where a message of a node came from, or goes to; a transport's own object fits and comes back as it is. */
export interface NodeRemote {
  readonly address: string
  /** 0 where there is no IP */
  readonly port: number
}

/** What has to be done outside of the core. */
export type ForwardEffect =
  /** one datagram to the gateway */
  | { readonly type: 'toGateway'; readonly bytes: Uint8Array }
  /** one message to a node; `link` is the number of its link */
  | {
      readonly type: 'toNode'
      readonly link: number
      readonly bytes: Uint8Array
      readonly remote: NodeRemote
    }
  /** one message to all nodes of a link, within so many hops */
  | {
      readonly type: 'toAllNodes'
      readonly link: number
      readonly bytes: Uint8Array
      readonly radius: number
    }
  /** what is known of the gateway has changed */
  | { readonly type: 'standing'; readonly standing: Standing; readonly gwId: number | undefined }
  /** the gateway is silent: a second way to it is to be opened beside the one there is; see `GatewayWatch.onSecondWay` */
  | { readonly type: 'renew' }
  /** the second way takes the place of the first */
  | { readonly type: 'adopt' }
  /** the second way is not needed */
  | { readonly type: 'abandon' }

/** One call: the time, monotonic milliseconds, and where effects go. */
export interface ForwardTurn {
  readonly now: number
  readonly out: ForwardEffect[]
}
