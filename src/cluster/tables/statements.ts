// What a node asks of the tables `mqttsn_member`, `mqttsn_lane` and `mqttsn_slot`: each is one statement, so that a node that freezes
// can never hold a transaction open.

/** The engine's time, all members, and who owns which slots. Times are milliseconds since 1970. */
const SEEN = `
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
  (SELECT coalesce(json_agg(json_build_object(
      'node', node, 'incarnation', incarnation, 'address', address, 'version', version, 'state', state,
      'config', convert_from(config, 'UTF8'),
      'expires', CASE WHEN expires > '-infinity' THEN extract(epoch FROM expires) * 1000 END)), '[]')
    FROM mqttsn_member) AS members,
  (SELECT coalesce(json_agg(owner), '[]') FROM (
      SELECT node, incarnation, json_agg(slot ORDER BY slot) AS slots, json_agg(epoch ORDER BY slot) AS epochs
      FROM mqttsn_slot GROUP BY node, incarnation
    ) AS owner) AS holdings`

const FROM_NOW = (milliseconds: string): string =>
  `clock_timestamp() + ${milliseconds} * interval '1 millisecond'`

export const LOOK = `SELECT 0 AS renewed, ${SEEN}`

/** $1 node, $2 incarnation, $3 lease in milliseconds, $4 state. One that was deposed is not renewed. */
export const RENEW = `
WITH mine AS (
  UPDATE mqttsn_member SET expires = ${FROM_NOW('$3::float8')}, state = $4
  WHERE node = $1 AND incarnation = $2 AND expires > '-infinity' RETURNING 1)
SELECT (SELECT count(*) FROM mine)::int AS renewed, ${SEEN}`

/**
 * $1 node, $2 its last incarnation or 0, $3 whether that is proven to be gone, $4 lease in milliseconds, $5 address, $6 version, $7 what
 * all must agree on, $8 writers. The slots of the last incarnation go over; its writers fall silent, which waits for groups under way.
 */
export const JOIN = `
WITH put AS (
  INSERT INTO mqttsn_member AS m (node, incarnation, address, version, config, state, expires)
  VALUES ($1, nextval('mqttsn_token'), nullif($5, ''), $6, convert_to($7, 'UTF8'), 'standby', ${FROM_NOW('$4::float8')})
  ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, address = excluded.address,
    version = excluded.version, config = excluded.config, state = excluded.state, expires = ${FROM_NOW('$4::float8')}
  WHERE m.incarnation = $2 AND (m.expires < clock_timestamp() OR $3::boolean)
  RETURNING node, incarnation),
lanes AS (
  INSERT INTO mqttsn_lane (node, lane, incarnation, token)
  SELECT put.node, lane, put.incarnation, nextval('mqttsn_token') FROM put, generate_series(0, $8::int - 1) AS lane
  ON CONFLICT (node, lane) DO UPDATE SET incarnation = excluded.incarnation, token = excluded.token),
mute AS (
  UPDATE mqttsn_lane SET token = NULL FROM put WHERE mqttsn_lane.node = put.node AND lane >= $8::int),
got AS (
  UPDATE mqttsn_slot SET incarnation = put.incarnation, epoch = epoch + 1 FROM put
  WHERE mqttsn_slot.node = put.node)
SELECT incarnation FROM put`

/** Forgets nodes that have been gone for an hour and own nothing, and their writers. */
export const PRUNE = `
WITH gone AS (
  DELETE FROM mqttsn_member m WHERE expires < clock_timestamp() - interval '1 hour'
    AND NOT EXISTS (SELECT 1 FROM mqttsn_slot s WHERE s.node = m.node) RETURNING node)
DELETE FROM mqttsn_lane l USING gone WHERE l.node = gone.node`

/** Of all these slots, or of those in this array. */
const wanted = (slots: string): string => `(${slots} = '' OR s.slot = ANY (nullif(${slots}, '')::int2[]))`

/**
 * $1 node, $2 incarnation of the taker; $3 node, $4 incarnation, $5 whether it is proven to be gone; $6 the slots that are wanted, '': all. The owner is deposed first, then
 * its writers fall silent, which waits for groups under way: what they were allowed to write is there when slots are loaded after this.
 */
export const TAKE = `
WITH dead AS (
  UPDATE mqttsn_member SET expires = '-infinity'
  WHERE node = $3 AND incarnation = $4 AND (expires < clock_timestamp() OR $5::boolean) RETURNING node, incarnation),
me AS (
  SELECT node, incarnation FROM mqttsn_member
  WHERE node = $1 AND incarnation = $2 AND expires > '-infinity' FOR SHARE),
mute AS (
  UPDATE mqttsn_lane l SET token = NULL FROM dead WHERE l.node = dead.node AND l.incarnation = dead.incarnation),
got AS (
  UPDATE mqttsn_slot s SET node = me.node, incarnation = me.incarnation, epoch = s.epoch + 1 FROM dead, me
  WHERE s.node = dead.node AND s.incarnation = dead.incarnation AND ${wanted('$6')} RETURNING 1)
SELECT count(*)::int AS got FROM got`

/** $1 node, $2 incarnation: takes what nobody owns; $3 as above. */
export const TAKE_FREE = `
WITH me AS (
  SELECT node, incarnation FROM mqttsn_member
  WHERE node = $1 AND incarnation = $2 AND expires > '-infinity' FOR SHARE),
got AS (
  UPDATE mqttsn_slot s SET node = me.node, incarnation = me.incarnation, epoch = s.epoch + 1 FROM me
  WHERE s.node IS NULL AND ${wanted('$3')} RETURNING 1)
SELECT count(*)::int AS got FROM got`

/**
 * $1 node, $2 incarnation of the owner, $3 gifts: slot, epoch, and node and incarnation of who gets it. What is not the owner's in this
 * epoch any more, or would go to who is gone, stays as it is.
 */
export const GIVE = `
WITH me AS (
  SELECT node, incarnation FROM mqttsn_member
  WHERE node = $1 AND incarnation = $2 AND expires > '-infinity' FOR SHARE),
gift AS (
  SELECT g.slot, g.epoch, g.node, g.incarnation
  FROM json_to_recordset($3::json) AS g (slot int2, epoch int8, node text, incarnation int8)),
receiver AS (
  SELECT m.node, m.incarnation FROM mqttsn_member m
  WHERE m.node IN (SELECT node FROM gift) AND m.expires > clock_timestamp() ORDER BY m.node FOR SHARE),
got AS (
  UPDATE mqttsn_slot s SET node = r.node, incarnation = r.incarnation, epoch = s.epoch + 1
  FROM me, gift g JOIN receiver r ON r.node = g.node AND r.incarnation = g.incarnation
  WHERE s.slot = g.slot AND s.epoch = g.epoch AND s.node = me.node AND s.incarnation = me.incarnation
  RETURNING s.slot)
SELECT coalesce(json_agg(slot), '[]') AS slots FROM got`

/** $1 node, $2 incarnation: its slots are free at once. */
export const LEAVE = `
WITH gone AS (
  DELETE FROM mqttsn_member WHERE node = $1 AND incarnation = $2 RETURNING node, incarnation),
mute AS (
  UPDATE mqttsn_lane l SET token = NULL FROM gone WHERE l.node = gone.node AND l.incarnation = gone.incarnation)
UPDATE mqttsn_slot s SET node = NULL, incarnation = NULL FROM gone
WHERE s.node = gone.node AND s.incarnation = gone.incarnation`
