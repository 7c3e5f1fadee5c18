// Every message in every state: figure 4 of the specification, as tables [6.14].

import { expect, it } from 'vitest'
import { MsgType } from '../../src/codec/v1/messages.ts'
import type { State } from '../../src/session/states.ts'
import { messages, receiving } from '../support/every-message.ts'
import { cellsOf, inState, rowsOf, states } from '../support/scene.ts'

const columns = ['unknown', 'disconnected', 'lost', 'willtopic', 'willmsg', 'connecting'] as const

//                   | ?           | D           | L           | W1            | W2            | U
const unconnected = rowsOf(`
  CONNECT            | connect →U  | connect →U  | connect →U  | connect →U    | connect →U    | ok
  CONNECT clean      | connect →U  | connect →U  | connect →U  | connect →U    | connect →U    | close connect
  CONNECT will       | WTREQ →W1   | WTREQ →W1   | WTREQ →W1   | WTREQ         | WTREQ →W1     | WTREQ →W1
  CONNECT clean will | WTREQ →W1   | WTREQ →W1   | WTREQ →W1   | WTREQ         | WTREQ →W1     | close WTREQ →W1
  WILLTOPIC          | .           | .           | .           | WMREQ →W2     | WMREQ         | .
  WILLTOPIC empty    | .           | .           | .           | connect →U    | connect →U    | .
  WILLMSG            | .           | .           | .           | .             | connect →U    | .
  DISCONNECT         | DISC        | DISC        | DISC        | DISC close →D | DISC close →D | DISC close →D
  DISCONNECT 0       | DISC        | DISC        | DISC        | DISC close →D | DISC close →D | DISC close →D
  DISCONNECT 600     | DISC        | DISC        | DISC        | DISC close →D | DISC close →D | DISC close →D
  PINGREQ            | DISC        | DISC        | DISC        | .             | .             | .
  PINGREQ dev1       | DISC        | DISC        | DISC        | .             | .             | .
  REGISTER           | DISC        | DISC        | DISC        | .             | .             | .
  PUBLISH 0          | DISC        | DISC        | DISC        | .             | .             | .
  PUBLISH 1          | DISC        | DISC        | DISC        | .             | .             | .
  PUBLISH 2          | DISC        | DISC        | DISC        | .             | .             | .
  PUBLISH -1         | anonymous   | anonymous   | anonymous   | anonymous     | anonymous     | anonymous
  PUBREL             | DISC        | DISC        | DISC        | .             | .             | .
  SUBSCRIBE          | DISC        | DISC        | DISC        | .             | .             | .
  UNSUBSCRIBE        | DISC        | DISC        | DISC        | .             | .             | .
  WILLTOPICUPD       | DISC        | DISC        | DISC        | .             | .             | .
  WILLMSGUPD         | DISC        | DISC        | DISC        | .             | .             | .
  PUBACK match       | .           | .           | .           | .             | .             | .
  PUBACK other       | .           | .           | .           | .             | .             | .
  REGACK             | .           | .           | .           | .             | .             | .
  PUBREC             | .           | .           | .           | .             | .             | .
  PUBCOMP            | .           | .           | .           | .             | .             | .
  PINGRESP           | .           | .           | .           | .             | .             | .
  SEARCHGW           | gwinfo      | gwinfo      | gwinfo      | gwinfo        | gwinfo        | gwinfo
  ADVERTISE          | .           | .           | .           | .             | .             | .
  GWINFO             | .           | .           | .           | .             | .             | .
  CONNACK            | .           | .           | .           | .             | .             | .
  WILLTOPICREQ       | .           | .           | .           | .             | .             | .
  WILLMSGREQ         | .           | .           | .           | .             | .             | .
  SUBACK             | .           | .           | .           | .             | .             | .
  UNSUBACK           | .           | .           | .           | .             | .             | .
  WILLTOPICRESP      | .           | .           | .           | .             | .             | .
  WILLMSGRESP        | .           | .           | .           | .             | .             | .
`)

//                   | A                | S                   | K
const connected = rowsOf(`
  CONNECT            | connect →U       | CONNACK REGISTER →A | CONNACK REGISTER →A
  CONNECT clean      | close connect →U | close connect →U    | close connect →U
  CONNECT will       | WTREQ →W1        | WTREQ →W1           | WTREQ →W1
  CONNECT clean will | close WTREQ →W1  | close WTREQ →W1     | close WTREQ →W1
  WILLTOPIC          | .                | .                   | .
  WILLTOPIC empty    | .                | .                   | .
  WILLMSG            | .                | .                   | .
  DISCONNECT         | DISC close →D    | DISC close →D       | DISC close →D
  DISCONNECT 0       | DISC close →D    | DISC close →D       | DISC close →D
  DISCONNECT 600     | DISC →S          | DISC                | DISC →S
  PINGREQ            | PINGRESP         | PUBLISH →K          | ok
  PINGREQ dev1       | PINGRESP         | PUBLISH →K          | ok
  REGISTER           | REGACK           | REGACK              | REGACK
  PUBLISH 0          | publish          | publish             | publish
  PUBLISH 1          | publish          | publish             | publish
  PUBLISH 2          | publish          | publish             | publish
  PUBLISH -1         | publish          | publish             | publish
  PUBREL             | PUBCOMP          | PUBCOMP             | PUBCOMP
  SUBSCRIBE          | subscribe        | subscribe           | subscribe
  UNSUBSCRIBE        | unsubscribe      | unsubscribe         | unsubscribe
  WILLTOPICUPD       | connect          | connect             | connect
  WILLMSGUPD         | connect          | connect             | connect
  PUBACK match       | ok               | .                   | PINGRESP →S
  PUBACK other       | .                | .                   | .
  REGACK             | .                | .                   | .
  PUBREC             | .                | .                   | .
  PUBCOMP            | .                | .                   | .
  PINGRESP           | ok               | ok                  | ok
  SEARCHGW           | gwinfo           | gwinfo              | gwinfo
  ADVERTISE          | .                | .                   | .
  GWINFO             | .                | .                   | .
  CONNACK            | .                | .                   | .
  WILLTOPICREQ       | .                | .                   | .
  WILLMSGREQ         | .                | .                   | .
  SUBACK             | .                | .                   | .
  UNSUBACK           | .                | .                   | .
  WILLTOPICRESP      | .                | .                   | .
  WILLMSGRESP        | .                | .                   | .
`)

const messageCells = [
  ...cellsOf<State | 'unknown'>(unconnected, columns),
  ...cellsOf<State | 'unknown'>(connected, ['active', 'asleep', 'awake']),
]

it('has a row for every message and a column for every state [SN-STA-1]', () => {
  const types = Object.values(messages).map((message) =>
    typeof message === 'function' ? 'puback' : message.type,
  )
  expect(new Set(types)).toEqual(new Set(Object.keys(MsgType)))
  for (const table of [unconnected, connected])
    expect(table.map(([row]) => row)).toEqual(Object.keys(messages))
  expect([...columns, 'active', 'asleep', 'awake'].sort()).toEqual([...states].sort())
})

it.each(messageCells)('%s: %s gives "%s" [SN-STA-1]', (state, row, expected) => {
  expect(receiving(row)(inState(state))).toBe(expected)
})

const fromGateways =
  'CONNACK WILLTOPICREQ WILLMSGREQ SUBACK UNSUBACK WILLTOPICRESP WILLMSGRESP ADVERTISE GWINFO'

it.each(fromGateways.split(' '))(
  'counts and discards %s in every state, as gateways send it [SN-TYP-3]',
  (row) => {
    for (const state of states) {
      const scene = inState(state)
      expect(receiving(row)(scene)).toBe('.')
      expect(scene.world.effects.at(-1)).toMatchObject({ type: 'drop', reason: 'wrong-direction' })
    }
  },
)
