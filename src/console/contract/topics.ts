// What the API tells of topics: those of one sensor, and those of all while somebody looks. Types only.

export interface TopicEntry {
  readonly topicId: number
  readonly name: string
  /** the sensor knows this id in its present connection */
  readonly confirmed: boolean
}

export interface SubscriptionEntry {
  readonly filter: string
  readonly qos: 0 | 1 | 2
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  readonly topicId: number
}

/** How a sensor used a topic lately, one way: made of its last 200 messages. Times are milliseconds since 1970. */
export interface TopicUse {
  /** the name, or `topic id 7` where none is known */
  readonly topic: string
  /** among the messages remembered, repetitions not counted */
  readonly times: number
  readonly firstAt: number
  readonly lastAt: number
  /** undefined until there are two */
  readonly perMinute: number | undefined
  /** of the last one */
  readonly octets: number
  readonly qos: -1 | 0 | 1 | 2
  /** answers that refused one of them */
  readonly refused: number
  /** the last of these: return code and words; undefined if there is none */
  readonly lastCode: number | undefined
  readonly lastRefusal: string | undefined
}

/** A topic that messages pass on, either way. Recorded while somebody looks, and for ten minutes after. */
export interface LiveTopic {
  readonly topic: string
  /** `up`: from sensors to the broker; `down`: from the broker to sensors */
  readonly direction: 'up' | 'down'
  readonly times: number
  readonly perMinute: number | undefined
  readonly firstAt: number
  readonly lastAt: number
  /** of the last message */
  readonly clientId: string | undefined
  readonly qos: -1 | 0 | 1 | 2
  readonly retain: boolean
  readonly octets: number
  /** its first 256 octets in hexadecimal, where contents may be shown */
  readonly payload: string | undefined
}

export interface LiveTopicQuery {
  /** part of the topic name, or a topic filter with wildcards */
  readonly search?: string | undefined
  readonly direction?: 'up' | 'down' | undefined
  readonly sort?: 'topic' | 'lastAt' | 'times' | undefined
  readonly descending?: boolean | undefined
  readonly offset: number
  /** at most 1000 */
  readonly limit: number
}

export interface LiveTopicList {
  /** since when topics are recorded, milliseconds since 1970 */
  readonly since: number
  /** whether contents may be shown: `log.payloads` or `console.payloads` */
  readonly payloads: boolean
  /** topics that are not listed, since there are more than 5,000 */
  readonly unlisted: number
  readonly total: number
  readonly items: readonly LiveTopic[]
}
