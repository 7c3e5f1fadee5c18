// Every route of the API: what it takes and what it answers, for programs that call it. Types only.

import type { ClusterInfo } from './cluster.ts'
import type { BrokerInfo, GatewayInfo, HistoryReport, ListenerInfo, StoreInfo } from './gateway.ts'
import type {
  DeadLetterList,
  DeadLetterQuery,
  DropEntry,
  HappeningList,
  HappeningQuery,
  RefusalEntry,
} from './happenings.ts'
import type { SensorDetail, SensorLabel, SensorList, SensorQuery } from './sensors.ts'
import type { CheckReport, ReloadAnswer, SettingsReport } from './settings.ts'
import type { LiveTopicList, LiveTopicQuery } from './topics.ts'

/** Queries as they are in a url: what has a default may be left out. */
type Asked<Query> = Partial<Query>

/** What an operator does to one sensor, or to several at once. */
export type SimpleAction =
  | 'disconnect'
  | 'forget'
  | 'clearQueue'
  | 'discardDeadLetters'
  | 'resendDeadLetters'
  | 'endSecureSession'

/** A message for a sensor; contents as hexadecimal octets or as text. */
export type Publication = { readonly topic: string; readonly qos?: 0 | 1 | 2; readonly retain?: boolean } & (
  | { readonly payload: string }
  | { readonly text: string }
)

/** The same for several; at most 1,000 ClientIds. */
export type SeveralActions = { readonly clientIds: readonly string[] } & (
  | { readonly action: SimpleAction }
  | { readonly action: 'publish'; readonly message: Publication }
  /** adds and removes tags */
  | { readonly action: 'tag'; readonly add?: readonly string[]; readonly remove?: readonly string[] }
)

export interface SeveralAnswer {
  readonly done: number
  readonly failed: readonly {
    readonly clientId: string
    readonly error: 'no-such-sensor' | 'wrong-state' | 'node-silent'
  }[]
}

/** Every failure: `error` for programs, `message` for people. */
export interface Problem {
  readonly error: string
  readonly message: string
}

/** Method and path, query, body and answer; `undefined`: none. Paths with `:clientId` take it url-encoded. */
export interface Routes {
  readonly 'GET /api/gateway': { answer: GatewayInfo }
  readonly 'GET /api/listeners': { answer: readonly ListenerInfo[] }
  readonly 'GET /api/broker': { answer: BrokerInfo }
  readonly 'GET /api/store': { answer: StoreInfo }
  readonly 'GET /api/cluster': { answer: ClusterInfo }
  readonly 'GET /api/history': { query: { step?: 'second' | 'minute' }; answer: HistoryReport }
  readonly 'GET /api/happenings': { query: Asked<HappeningQuery>; answer: HappeningList }
  readonly 'GET /api/refusals': { answer: readonly RefusalEntry[] }
  /** at most 500, latest first */
  readonly 'GET /api/drops': { query: { reason?: string }; answer: readonly DropEntry[] }
  readonly 'GET /api/predefined': { answer: readonly { topicId: number; name: string }[] }
  readonly 'GET /api/topics': { query: Asked<LiveTopicQuery>; answer: LiveTopicList }
  /** the effective configuration, secrets hidden */
  readonly 'GET /api/config': { answer: object }
  readonly 'GET /api/settings': { answer: SettingsReport }
  readonly 'POST /api/settings/check': { answer: CheckReport }
  /** 409 with a Problem where there is no file; a file that is wrong is an answer with `valid: false`, and changes nothing */
  readonly 'POST /api/settings/reload': { answer: ReloadAnswer }
  readonly 'GET /api/sensors': { query: Asked<SensorQuery>; answer: SensorList }
  readonly 'GET /api/sensors/:clientId': { answer: SensorDetail }
  /** an empty object takes the label of the console away, so that the rule's holds again */
  readonly 'PUT /api/sensors/:clientId/label': { body: Partial<SensorLabel>; answer: SensorDetail }
  readonly 'POST /api/sensors/:clientId/publish': { body: Publication; answer: undefined }
  readonly 'POST /api/sensors/:clientId/disconnect': { answer: undefined }
  readonly 'POST /api/sensors/:clientId/forget': { answer: undefined }
  readonly 'POST /api/sensors/:clientId/clear-queue': { answer: undefined }
  readonly 'POST /api/sensors/:clientId/dead-letters/discard': { answer: undefined }
  readonly 'POST /api/sensors/:clientId/dead-letters/resend': { answer: undefined }
  /** its DTLS session: it needs a handshake before it is heard again, and its MQTT-SN session stays */
  readonly 'POST /api/sensors/:clientId/secure-session/end': { answer: undefined }
  readonly 'POST /api/actions': { body: SeveralActions; answer: SeveralAnswer }
  readonly 'GET /api/dead-letters': {
    query: Asked<DeadLetterQuery>
    answer: DeadLetterList
  }
  /** a download; the other parameters are those of the list itself */
  readonly 'GET /api/export/sensors': {
    query: { format?: 'csv' | 'json' } & Asked<SensorQuery>
    answer: string
  }
  readonly 'GET /api/export/happenings': {
    query: { format?: 'csv' | 'json' } & Asked<HappeningQuery>
    answer: string
  }
  readonly 'GET /api/export/refusals': { query: { format?: 'csv' | 'json' }; answer: string }
  readonly 'GET /api/export/dead-letters': { query: { format?: 'csv' | 'json' }; answer: string }
  readonly 'GET /api/export/topics': {
    query: { format?: 'csv' | 'json' } & Asked<LiveTopicQuery>
    answer: string
  }
  /** 204 with a cookie (HttpOnly, SameSite=Strict); 401 wrong token; 429 too many attempts. A form is answered with 303 */
  readonly 'POST /sign-in': { body: { token: string }; answer: undefined }
  /** 204, the cookie is void */
  readonly 'POST /sign-out': { answer: undefined }
}
