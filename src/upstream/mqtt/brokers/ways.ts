// The ways to a broker: from which address of this machine, to which address of the broker. What fails on one of them may work
// on another one, which is tried at once.

import { isIP } from 'node:net'
import type { Failure } from '../failures/failure.ts'
import type { SystemError } from '../failures/system-error.ts'
import type { WayOptions } from '../streams.ts'
import type { LocalAddresses } from './local-addresses.ts'
import { BrokerName, type Place, WRONG_FAMILY } from './names.ts'

/** What is wrong, in a sentence that names the key of the configuration to change. */
export const NO_PORT =
  'no local port is left towards the broker: broker.localAddresses needs more addresses of this machine, or net.ipv4.ip_local_port_range more ports'
export const NO_SUCH_ADDRESS = 'this machine does not have the address: see broker.localAddresses'
export const NO_WAY = 'no way leads from this address to the broker: see broker.localAddresses'

/** How the connections to one broker are made. */
export class Ways {
  readonly #locals: LocalAddresses
  readonly #family: ReadonlySet<number> | undefined
  readonly #name: BrokerName | undefined
  /** to a numeric address, as the system chooses: all are the same */
  readonly #usual: Way | undefined

  constructor(host: string, locals: LocalAddresses, now: () => number) {
    const family = isIP(host)
    this.#locals = locals
    this.#family = family === 0 ? undefined : new Set([family])
    this.#name = family === 0 ? new BrokerName(now) : undefined
    this.#usual = family === 0 ? undefined : new Way(undefined, locals, undefined, this.#family)
  }

  /** The one whose turn it is. */
  next(): Way {
    const { isEmpty } = this.#locals
    if (isEmpty && this.#usual !== undefined) return this.#usual
    const families = this.#family ?? this.#name?.families
    return new Way(isEmpty ? undefined : this.#locals.next(families), this.#locals, this.#name, families)
  }
}

/** One way, for one attempt. */
export class Way {
  readonly options: WayOptions
  readonly #local: string | undefined
  readonly #locals: LocalAddresses
  readonly #name: BrokerName | undefined
  readonly #families: ReadonlySet<number> | undefined
  /** the address of the broker that is tried first */
  #first: string | undefined

  constructor(
    local: string | undefined,
    locals: LocalAddresses,
    name: BrokerName | undefined,
    families: ReadonlySet<number> | undefined,
  ) {
    this.#local = local
    this.#locals = locals
    this.#name = name
    this.#families = families
    this.options = {
      ...(name !== undefined && {
        lookup: (...asked) => name.find((first) => (this.#first = first), ...asked),
      }),
      ...(local !== undefined && { localAddress: local, family: isIP(local) }),
    }
  }

  /** What the failure means, with what is known of the way; `again`: another one should be tried at once. */
  judged(error: SystemError | undefined, failure: Failure): Failure {
    const cause = causeOf(error)
    const { code, syscall } = cause ?? {}
    const local = this.#local
    if (syscall === 'connect' && (code === 'EADDRNOTAVAIL' || code === 'EADDRINUSE')) {
      this.#locals.noteNoPort(local)
      return this.#elsewhere(failure, NO_PORT)
    }
    const isSilent = failure.unreachable === true || failure.version === 'silent'
    const hasOther = isSilent && this.#name?.leave(this.#first) === true
    if (local === undefined) return failure // all addresses of the name were tried
    if (code === 'EADDRNOTAVAIL') return this.#unusable(failure, local, NO_SUCH_ADDRESS)
    if (code === 'EINVAL') return this.#unusable(failure, local, NO_WAY)
    if (code === WRONG_FAMILY) return this.#elsewhere(failure, failure.detail, this.#name?.families)
    return hasOther && cause !== undefined ? { ...failure, again: true } : failure
  }

  /** It is open: leads to which broker of those behind the name, if there are several. `remote`: its address, where that is known. */
  arrived(remote: unknown): Place | undefined {
    const name = this.#name
    if (name === undefined) return undefined
    if (typeof remote !== 'string' || remote === this.#first) return name.arriveAt(this.#first ?? '')
    name.leave(this.#first)
    return name.arriveAt(remote)
  }

  #unusable(failure: Failure, local: string, reason: string): Failure {
    this.#locals.noteUnusable(local, reason)
    return this.#elsewhere(failure, `${local}: ${reason}`)
  }

  #elsewhere(failure: Failure, detail: string, families = this.#families): Failure {
    const again = this.#local !== undefined && this.#locals.hasOthers(families)
    return { ...failure, detail, unreachable: false, again }
  }
}

/** Where all addresses of a name were tried, what was wrong with the first. */
const causeOf = (error: SystemError | undefined): SystemError | undefined =>
  error instanceof AggregateError ? (error.errors[0] as SystemError | undefined) : error
