// Where each alert, finding and event is explained: anchors in docs/operation.md, which the console serves at /docs/operation.

/** What the page of the docs has a paragraph for, by the name of its anchor. */
export const SUBJECTS = [
  'gateway-down',
  'broker-away',
  'broker-refuses',
  'broker-slow',
  'store-fails',
  'database-promises-less',
  'sensor-lost',
  'sensor-asleep',
  'sensor-does-not-answer',
  'login-refused',
  'no-port-left',
  'not-admitted',
  'client-id-refused',
  'forwarder-not-listed',
  'same-client-id',
  'no-room',
  'unknown-sender',
  'no-connection',
  'topic-refused',
  'topic-id-unknown',
  'broker-cannot',
  'poison-topic',
  'dead-letters',
  'queue-full',
  'spool-grows',
  'message-too-long',
  'not-taken',
  'topics-forgotten',
  'overloaded',
  'datagrams-lost',
  'standing-by',
  'malformed',
  'dtls-refused',
  'dtls-limits',
  'dtls-records',
  'dtls-key-log',
  'dtls-keys',
  'certificate-ends',
  'radio-poor',
  'internal-error',
  'reload',
  'limits-of-the-system',
] as const

export type Subject = (typeof SUBJECTS)[number]

/** Path of the paragraph, such as `/docs/operation#sensor-lost`. */
export const docsOf = (subject: Subject): string => `/docs/operation#${subject}`
