// What a router of datagrams has to do with the front that it works for.

import type { BoundListener } from '../../gateway/datagrams/listener.ts'
import type { AssociationUse } from '../../gateway/dtls/association-use.ts'
import type { PeerKey } from '../../session/peers.ts'
import type { Remote } from '../../transport/transport.ts'
import type { Binding } from '../messages.ts'
import type { Routes } from '../routes.ts'

/** The front that a router works for. */
export interface RouterFront {
  /** the slot of the sensor of an own worker at an address */
  boundAt(key: PeerKey): number | undefined
  /** the worker of a slot is being started again */
  isAway(slot: number): boolean
  listenerAt(index: number): BoundListener | undefined
  /** Gives a datagram to the worker of a slot. */
  handOver(slot: number, bound: BoundListener, bytes: Uint8Array, remote: Remote): void
  /** which sessions of DTLS sensors use */
  readonly use: AssociationUse
  /** Another sensor is at this address now. */
  displace(key: PeerKey): void
}

/** The workers of the front. */
interface RouterWorkers {
  thread(index: number): { displaced(binding: Binding): void } | undefined
  isAway(index: number): boolean
}

/** That of a front with these routes and workers; `give` hands a datagram to the worker of this number. */
export function routerFrontOf(
  routes: Routes,
  workers: RouterWorkers,
  use: AssociationUse,
  listenerAt: RouterFront['listenerAt'],
  give: (index: number, bound: BoundListener, bytes: Uint8Array, remote: Remote) => void,
): RouterFront {
  return {
    use,
    listenerAt,
    boundAt: (key) => routes.boundAt(key),
    isAway: (slot) => workers.isAway(routes.workerOf(slot)),
    handOver: (slot, bound, bytes, remote) => give(routes.workerOf(slot), bound, bytes, remote),
    displace(key) {
      const slot = routes.boundAt(key)
      if (slot === undefined) return
      const binding = { key, clientId: 'another sensor', slot, local: undefined }
      workers.thread(routes.workerOf(slot))?.displaced(binding)
    },
  }
}
