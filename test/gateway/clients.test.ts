// The habits of other authors' clients, replayed in octets over real UDP against a gateway with the embedded broker:
// mqtt-sn-tools, Paho's C client and gateway tester, wolfMQTT. What each of them does was read in its source;
// docs/clients.md tells which of them were also run themselves.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await Site.start({
    listeners: [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }],
    sensors: [{ match: 'tester', asleepConnect: 'resume' }],
  })
})

afterAll(() => site?.stop())

it('mqtt-sn-tools: CONNACK is the first answer, two octets are a short name, DISCONNECT has no Duration [SN-CONN-14 in part]', async () => {
  const seen = await site.published('tools/#', 'tt', 'pre/seven')
  const stranger = await site.client()
  await stranger.talk(`
    > 0c 72 "tt" 0000 "not connected" ; QoS -1, retained, a short name
    < -
    > 0c 61 0007 0000 "nor here"      ; a predefined id
    < -`)
  const sub = await site.client()
  await sub.talk(`
    > 04 00 01 000a "tools-sub"
    < 05 00
    > 12 20 0001 "tools/+"
    < 13 20 0000 0001 00
    > 12 22 0002 "tt"                 ; SUBACK says the name again; then what is retained
    < 13 20 "tt" 0002 00
    < 0c 12 "tt" 0000 "not connected"
    > 18
    < 18`)
  const pub = await site.client()
  await pub.talk(`
    > 04 04 01 000a "tools-pub"
    < 05 00
    > 0a 0000 0001 "tools/a"
    < 0b $a= 0001 00
    > 0c 00 $a 0000 "zero"
    > 0c 20 $a 0002 "one"
    < 0d $a 0002 00
    > 0c 22 "tt" 0003 "short"
    < 0d "tt" 0003 00
    > 0c 21 0007 0004 "predefined"
    < 0d 0007 0004 00
    > 18 003c                         ; option -e: asleep for a minute
    < 18`)
  const again = await site.client()
  await again.talk(`
    > 04 00 01 000a "tools-sub"       ; option -c: what came meanwhile waits
    < 05 00
    < 0a $a= $r= "tools/a"
    > 0b $a $r 00
    < 0c 20 $a $m= "one"
    > 0d $a $m 00
    < 0c 22 "tt" $m= "short"
    > 0d "tt" $m 00
    > 16
    < 17`)
  expect(await seen(6)).toEqual([
    ...['tt=not connected (0)', 'pre/seven=nor here (0)', 'tools/a=zero (0)', 'tools/a=one (1)'],
    ...['tt=short (1)', 'pre/seven=predefined (1)'],
  ])
})

it('mqtt-sn-tools as its own forwarder: the node id is text, and every answer is wrapped for it', async () => {
  const wrapping = `08fe00${Buffer.from('NODE1').toString('hex')}`
  const node = await site.client({ said: wrapping, heard: wrapping })
  await site.office.publish('fe/kept', 'kept', { retain: true })
  await node.talk(`
    > 04 04 01 000a "tools-fe"
    < 05 00
    > 12 20 0001 "fe/#"
    < 13 20 0000 0001 00
    < 0a $k= $r= "fe/kept"
    > 0b $k $r 00
    < 0c 30 $k $m= "kept"
    > 0d $k $m 00
    > 18
    < 18`)
})

it('Paho embedded-c: QoS 2 both ways, 3-octet Lengths; its length fault and its own kind of QoS -1 are met with silence', async () => {
  const seen = await site.published('paho/up')
  const paho = await site.client()
  const long = 'x'.repeat(300)
  await paho.talk(`
    > 04 04 01 000a "paho"
    < 05 00
    > 0a 0000 0001 "paho/up"
    < 0b $up= 0001 00
    > 0c 40 $up 0002 "two"
    < 0f 0002
    > 10 0002
    < 0e 0002
    > 0c 20 $up 0003 "${long}"
    < 0d $up 0003 00
    >! 010100 0c 20 $up 0004 "${'y'.repeat(249)}" ; 258 octets that claim to be 256
    > 0c 60 0009 0000 "paho/long" "payload"       ; QoS -1 with the length of a name as topic id
    < -
    > 12 40 0005 "paho/down/+"
    < 13 40 0000 0005 00`)
  await site.office.publish('paho/down/a', long, { qos: 2 })
  await paho.talk(`
    < 0a $a= $r= "paho/down/a"
    > 0b $a $r 00
    < 0c 40 $a $m= "${long}"
    > 0f $m
    < 10 $m
    > 0e $m
    > 14 00 0006 "paho/down/+"
    < 15 0006
    > 16
    < 17
    > 18
    < 18
    > 0c 20 $up 0007 "late"
    < 18`)
  expect(await seen(2)).toEqual(['paho/up=two (2)', `paho/up=${long} (1)`])
})

it('Paho GatewayTester: pings without ClientId while asleep, and wakes with the flags of its first CONNECT', async () => {
  const seen = await site.published('tester/#')
  // behind a forwarder with Ctrl 1 and a node id of four octets
  const tester = await site.client({ said: '07fe0101020304', heard: '07fe0001020304' })
  const connect = `
    > 04 0c 01 000a "tester"  ; clean, with a will: every time
    < 06
    > 07 20 "tester/will"
    < 08
    > 09 "gone"
    < 05 00`
  await tester.talk(`${connect}
    > 12 20 0001 "tester/known"
    < 13 20 $k= 0001 00
    > 12 20 0002 "tester/+/any"
    < 13 20 0000 0002 00
    > 0c 20 7f00 0003 "up"    ; an id it remembers from another gateway
    < 0d 7f00 0003 02
    > 0a 0000 0004 "tester/up"
    < 0b $up= 0004 00
    > 0c 20 $up 0005 "up"
    < 0d $up 0005 00
    > 18 0014
    < 18`)
  await site.office.publish('tester/known', 'one')
  await site.office.publish('tester/b/any', 'two')
  await site.waiting('tester', 2)
  await tester.talk(`
    < -
    > 16
    < 0c 20 $k $m= "one"
    > 0d $k $m 00
    < 0a $b= $r= "tester/b/any"
    > 0b $b $r 02             ; a name that none of its subscriptions matches, it thinks
    < 17`)
  await site.office.publish('tester/b/any', 'three')
  await site.office.publish('tester/c/any', 'four')
  await site.waiting('tester', 1)
  await tester.talk(`
    > 16
    < 0a $c= $r= "tester/c/any"
    > 0b $c $r 00
    < 0c 20 $c $m= "four"
    > 0d $c $m 00
    < 17
    ${connect}`)
  await site.office.publish('tester/known', 'five') // it does not subscribe again
  await tester.talk(`
    < 0a $k $r= "tester/known"
    > 0b $k $r 00
    < 0c 20 $k $m= "five"
    > 0d $k $m 00
    > 18
    < 18`)
  expect((await seen(6))[0]).toBe('tester/up=up (1)')
})

it('wolfMQTT: a will that changes, QoS 2, and 0x03 to every REGISTER [SN-GPUB-6 in part]', async () => {
  const seen = await site.published('wolf/#')
  const wolf = await site.client()
  await wolf.talk(`
    > 04 0c 01 0002 "wolf"
    < 06
    > 07 30 "wolf/will"
    < 08
    > 09 "gone"
    < 05 00
    > 1a 20 "wolf/will/new"
    < 1b 00
    > 1c "really gone"
    < 1d 00
    > 0a 0000 0001 "wolf/up"
    < 0b $up= 0001 00
    > 0c 40 $up 0002 "two"
    < 0f 0002
    > 10 0002
    < 0e 0002
    > 0c 61 0007 0000 "minus one"
    > 12 20 0003 "wolf/+"
    < 13 20 0000 0003 00
    > 12 20 0004 "wolf/known"
    < 13 20 $k= 0004 00`)
  await site.office.publish('wolf/other', 'one')
  await site.office.publish('wolf/other', 'two')
  await site.office.publish('wolf/known', 'three')
  await wolf.talk(`
    < 0a $o= $r= "wolf/other"
    > 0b $o $r 03
    < 0c 20 $k $m= "three"
    > 0d $k $m 00
    < -`)
  expect((await seen(5)).slice(-1)).toEqual(['wolf/will/new=really gone (1)']) // its keep-alive has passed
})
