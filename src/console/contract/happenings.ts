// What the API tells of what has happened: the events that a person wants to know of, who was refused, what was dropped. Types only.

/** Kinds of events. Waking up, falling asleep and ordinary connects are none. */
export type HappeningKind =
  /** a sensor fell silent */
  | 'lost'
  /** somebody was refused */
  | 'refused'
  /** two devices use one ClientId */
  | 'contested'
  /** messages of a sensor were dropped */
  | 'dropped'
  /** the broker will not have an acknowledged message of a sensor */
  | 'dead-letter'
  /** the broker came or went */
  | 'broker'
  /** the configuration was loaded again, or could not be */
  | 'reload'
  /** the gateway itself: started, a part of it ended, the store cannot write */
  | 'gateway'

/** How much it matters: `good` is the end of something bad. */
export type Tone = 'bad' | 'warn' | 'note' | 'good'

/** One event. What happens again within a minute at the same sensor for the same reason is one event with more `times`. */
export interface Happening {
  /** names it; stays when `times` grows */
  readonly id: string
  /** the last time, milliseconds since 1970 */
  readonly at: number
  readonly firstAt: number
  readonly times: number
  readonly kind: HappeningKind
  readonly tone: Tone
  /** a sentence for people, without a ClientId or address */
  readonly text: string
  readonly clientId: string | undefined
  /** with `/node` behind a forwarder */
  readonly address: string | undefined
  /** the reason of a refusal or drop, for programs */
  readonly reason: string | undefined
  /** topic, what the broker said, paths that a reload changed */
  readonly detail: string | undefined
  /** the keys of the configuration that decide */
  readonly key: string | undefined
  /** path of the page that explains it, such as `/docs/operation#sensor-lost` */
  readonly docs: string | undefined
}

/** What has happened since the last batch: new ones, and known ones (by their ids) with more `times`; oldest first. */
export interface HappeningBatch {
  /** at most 200 */
  readonly items: readonly Happening[]
  /** those that had no place here: ask for the list again */
  readonly more: number
}

/** What `/api/happenings` can be asked for; all narrow it down. */
export interface HappeningQuery {
  readonly kind?: HappeningKind | undefined
  /** exact ClientId */
  readonly sensor?: string | undefined
  /** part of ClientId, address or text */
  readonly search?: string | undefined
  /** milliseconds since 1970; by the last time */
  readonly since?: number | undefined
  readonly until?: number | undefined
  readonly offset: number
  /** at most 1000 */
  readonly limit: number
}

/** Latest first. */
export interface HappeningList {
  readonly total: number
  readonly items: readonly Happening[]
}

/** Somebody who was refused lately, each with one reason. Times are milliseconds since 1970. */
export interface RefusalEntry {
  /** the last time, and the first */
  readonly at: number
  readonly firstAt: number
  readonly times: number
  readonly reason: string
  /** the reason in words */
  readonly text: string
  /** what to do, where the key does not say it */
  readonly next: string | undefined
  /** the keys of the configuration that decide; undefined where none does */
  readonly key: string | undefined
  /** of the last time, with `/node` behind a forwarder */
  readonly address: string
  readonly listener: string
  /** undefined where the sender did not name itself */
  readonly clientId: string | undefined
  /** what was answered; undefined: nothing, or DISCONNECT */
  readonly returnCode: number | undefined
  /** what the broker said, where it refused */
  readonly detail: string | undefined
  readonly docs: string | undefined
}

/** Where something came from, or went to, that was dropped: one entry per reason and address. Times are milliseconds since 1970. */
export interface DropEntry {
  readonly reason: string
  readonly at: number
  readonly firstAt: number
  readonly times: number
  /** undefined for what came from the broker for a sensor that is away */
  readonly address: string | undefined
  readonly listener: string | undefined
  readonly clientId: string | undefined
}

/** An acknowledged message of a sensor that the broker will not have. */
export interface DeadLetterEntry {
  readonly token: number
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly octets: number
  readonly at: number
  /** `hung-up`: the broker closes the connection at it; `refused`: it refuses it for good */
  readonly why: string
}

/** The same in the list of all. */
export interface OwnedDeadLetter extends DeadLetterEntry {
  readonly clientId: string
}

/** What `/api/dead-letters` can be asked for. */
export interface DeadLetterQuery {
  /** part of the ClientId or topic */
  readonly search?: string | undefined
  readonly offset: number
  /** at most 1000 */
  readonly limit: number
}

export interface DeadLetterList {
  readonly total: number
  readonly items: readonly OwnedDeadLetter[]
}
