// The habits of the clients in RIOT (emcute, asymcute) and Zephyr, replayed in octets, as in clients.test.ts.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await Site.start({
    timers: { tRetry: '1s', nRetry: 1 },
    sensors: [{ match: 'emcute', reRegister: 'never' }],
  })
})

afterAll(() => site?.stop())

it('RIOT emcute: repeats its last message instead of CONNECT, refuses DUP, never answers REGISTER [SN-CONN-16 in part]', async () => {
  const seen = await site.published('emcute/#')
  const emcute = await site.client()
  await emcute.talk(`
    > 04 0c 01 0168 "emcute"
    < 06
    > 07 20 "emcute/will"
    < 08
    > 07 20 "emcute/will" ; WILLMSGREQ was lost
    < 08
    > 09 "gone"
    < 05 00
    > 09 "gone"           ; CONNACK was lost
    < 05 00
    > 0a 0000 1234 "emcute/up"
    < 0b $up= 1234 00
    > 0c 20 $up 1235 "one"
    < 0d $up 1235 00
    > 12 20 1236 "emcute/down"
    < 13 20 $down= 1236 00`)
  await site.office.publish('emcute/down', 'early')
  await emcute.talk(`
    < 0c 20 $down $m= "early"
    > 0d $down $m 02      ; SUBACK has not yet reached its list of subscriptions
    < 0c 20 $down $m= "early"
    > 0d $down $m 00`)
  await site.office.publish('emcute/down', 'lost')
  await emcute.talk(`
    < 0c 20 $down $m= "lost"
    < 0c a0 $down $m "lost"
    > 0d $down $m 03      ; for DUP
    < 0c 20 $down $n= "lost"
    > 0d $down $n 00
    > 12 20 1237 "emcute/w/+"
    < 13 20 0000 1237 00`)
  await site.office.publish('emcute/w/x', 'useless')
  await site.office.publish('emcute/down', 'behind it')
  await emcute.talk(`
    < 0a $x= $r= "emcute/w/x"
    < 0a $x $r "emcute/w/x"
    < 0c 20 $down $m= "behind it"
    > 0d $down $m 00
    > 1a 20 "emcute/will2"
    < 1b 00
    > 1c "gone too"
    < 1d 00
    > 04 00 01 0168 "emcute" ; a reboot that keeps the session
    < 05 00`)
  await site.office.publish('emcute/down', 'after')
  await emcute.talk(`
    < 0c 20 $down $m= "after" ; as configured, without REGISTER
    > 0d $down $m 00
    > 18
    < 18`)
  expect((await seen(6))[0]).toBe('emcute/up=one (1)')
})

it('RIOT asymcute: 3-octet Length where one would do, PUBACK 0x02 for QoS 0 too, octets of ids swapped', async () => {
  const seen = await site.published('asym/up')
  const asymcute = await site.client()
  const data = 'z'.repeat(244)
  await asymcute.talk(`
    > 04 04 01 0168 "asymcute"
    < 05 00
    > 0a 0000 0001 "asym/up"
    < 0b $up= 0001 00
    >! 0100fd 0c 20 $up 0002 "${data}" ; 253 octets in all
    < 0d $up 0002 00
    > 12 21 0003 0700                  ; it means 7: its fault, and refused
    < 13 00 0000 0003 02
    > 12 00 0004 "asym/down"
    < 13 00 $down= 0004 00`)
  await site.office.publish('asym/down', 'unsubscribed by now', { qos: 0 })
  await asymcute.talk(`
    < 0c 00 $down 0000 "unsubscribed by now"
    > 0d $down 0000 02
    > 14 00 0005 "asym/down"
    < 15 0005
    > 18
    < 18`)
  expect(await seen(1)).toEqual([`asym/up=${data} (1)`])
})

it('Zephyr: searches, has several messages in flight, counts MsgIds through 0, keeps the id that SUBACK says', async () => {
  const seen = await site.published('zephyr/#')
  const zephyr = await site.client()
  await zephyr.talk(`
    > 01 00
    < 02 01
    > 04 04 01 003c "zephyr"
    < 05 00
    > 0a 0000 fffc "zephyr/up"
    < 0b $up= fffc 00`)
  await zephyr.talk(`
    > 0c 20 $up fffd "a"
    > 0c 40 $up fffe "b"
    > 0c 20 $up ffff "c"
    > 0c 20 $up 0000 "d"`)
  await zephyr.hears(`
    < 0d $up fffd 00
    < 0f fffe
    < 0d $up ffff 00
    < 0d $up 0000 00`)
  await zephyr.talk(`
    > 10 fffe
    < 0e fffe
    > 12 41 0001 0007
    < 13 40 0007 0001 00
    > 12 22 0002 "zp"
    < 13 20 "zp" 0002 00
    > 18 001e
    < 18`)
  await site.office.publish('pre/seven', 'asleep', { qos: 2 })
  await site.office.publish('zp', 'asleep too')
  await site.waiting('zephyr', 2)
  await zephyr.talk(`
    < -
    > 16 "zephyr"
    < 0c 41 0007 $m= "asleep"
    > 0f $m
    < 10 $m
    > 0e $m
    < 0c 22 "zp" $m= "asleep too"
    > 0d "zp" $m 00
    < 17
    > 04 00 01 003c "zephyr"
    < 05 00
    > 18
    < 18`)
  expect((await seen(4)).sort()).toEqual(
    ['a', 'b', 'c', 'd'].map((x) => `zephyr/up=${x} (${x === 'b' ? 2 : 1})`),
  )
})
