// ADVERTISE and standing by for another gateway, per listener [6.1]. SEARCHGW is answered in strangers.ts.

/** How one listener advertises. Times in milliseconds. */
export interface Advertising {
  /** T_ADV; 0 = never */
  readonly interval: number
  /** GwId of the gateway that this one stands by for; undefined: it advertises by itself */
  readonly standbyFor: number | undefined
  /** N_ADV: how many missed ADVERTISEs make the stand-by gateway start */
  readonly missed: number
}

export interface Discovery {
  readonly advertising: Advertising
  /** when the next ADVERTISE is due */
  nextAt: number
  /** when the watched gateway counts as gone */
  watchedUntil: number
  /** when a GWINFO may go to the whole network again */
  answerAt: number
}

/** Pause after a GWINFO to the whole network, which has just told everybody, milliseconds. */
const ANSWER_PAUSE = 100

/** At the start: an active gateway advertises at once, a stand-by one gives the other time to be heard. */
export const createDiscovery = (advertising: Advertising, now: number): Discovery => ({
  advertising,
  nextAt: now,
  watchedUntil: now + advertising.interval * advertising.missed,
  answerAt: now,
})

/** Whether a GWINFO may go to the whole network now: SEARCHGWs from forged addresses must not become a flood there. */
export function mayAnswerAll(discovery: Discovery, now: number): boolean {
  if (now < discovery.answerAt) return false
  discovery.answerAt = now + ANSWER_PAUSE
  return true
}

/** An ADVERTISE of some gateway was heard; `duration` in seconds. Only the watched one matters [SN-ADV-6]. */
export function onAdvertise(discovery: Discovery, gwId: number, duration: number, now: number): void {
  const { advertising } = discovery
  if (gwId !== advertising.standbyFor) return
  discovery.watchedUntil = now + duration * 1000 * advertising.missed
}

/**
 * Whether an ADVERTISE is due now; schedules the next one. `healthy`: the broker can be reached, without which there is
 * nothing to advertise [SN-ADV-3].
 */
export function advertiseDue(discovery: Discovery, healthy: boolean, now: number): boolean {
  const { interval } = discovery.advertising
  if (interval === 0 || now < discovery.nextAt || !healthy || isStandingBy(discovery, now)) return false
  discovery.nextAt = now + interval
  return true
}

/** Whether the watched gateway is there, so that this one keeps quiet. */
const isStandingBy = (discovery: Discovery, now: number): boolean =>
  discovery.advertising.standbyFor !== undefined && now < discovery.watchedUntil
