// What the gateway asks of the server for each of its connections.

/** Settings of PostgreSQL, by name. */
export type SessionSettings = Readonly<Record<string, string>>

/**
 * The server gives up waiting for somebody's lock before the gateway does, so that attempts that were given up do not queue there, and
 * then reads again instead of refusing, whatever is usual in this database; and a statement after so long that nobody waits for it any
 * more, or they would pile up on a server that is slow. It notices when the gateway is gone; and it would read a whole table where it has
 * no statistics yet. Times are milliseconds.
 */
export const settingsFor = (timeout: number, longest: number): SessionSettings => ({
  default_transaction_isolation: 'read committed',
  lock_timeout: `${Math.ceil(timeout * 0.8)}ms`,
  statement_timeout: `${longest}ms`,
  idle_in_transaction_session_timeout: '10s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // a plan without these seems so dear that the server would compile it, for a tenth of a second, each time
  jit: 'off',
  client_min_messages: 'warning',
  bytea_output: 'hex',
})
