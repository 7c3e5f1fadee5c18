// The secure session of a sensor: what the console shows of it, and how an operator ends it. It belongs to the listener's link.

import type { SensorDetail, SensorSecurity } from '../../console/contract/sensors.ts'
import type { Peer } from '../../session/peers.ts'
import type { SecureLink } from '../../transport/secure-link.ts'

/** Links with sessions of their own, by the names of their listeners. */
export type SecureLinks = ReadonlyMap<string, Pick<SecureLink, 'about' | 'end'>>

/** What a sensor itself tells of it; undefined where it comes without DTLS. */
export function securityOf(peer: Peer | undefined): SensorSecurity | undefined {
  if (peer?.association === undefined) return undefined
  const { number, identity, kind } = peer.association
  return { session: number, identity, kind, open: undefined }
}

/** A sensor, with what its link knows of its session; as it was for those without one. */
export function withOpenSession<T extends Pick<SensorDetail, 'secure' | 'listener'>>(
  sensor: T,
  links: SecureLinks,
): T {
  const { secure, listener = '' } = sensor
  const about = secure && links.get(listener)?.about(secure.session)
  if (secure === undefined || about === undefined) return sensor
  const { suite, resumed, extendedMasterSecret, connectionId, openedAt, received, sent, moves, movedAt } =
    about
  const open = {
    suite,
    resumed,
    extendedMasterSecret,
    connectionId,
    openedAt,
    received,
    sent,
    moves,
    movedAt,
  }
  return { ...sensor, secure: { ...secure, open } }
}

/** Ends it, so that the sensor needs a handshake; its MQTT-SN session stays. False where there is none. */
export function endSecureSession(
  sensor: Pick<SensorDetail, 'secure' | 'listener'> | undefined,
  links: SecureLinks,
): boolean {
  const { secure, listener = '' } = sensor ?? {}
  return secure !== undefined && (links.get(listener)?.end(secure.session, 'ended by an operator') ?? false)
}
