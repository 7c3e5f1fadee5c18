// The habits of bisquitt (Go), simon622's client (Java), CommsChampion (C++) and of devices with small buffers, replayed in octets
// with default settings but for shorter times, as in clients.test.ts.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Site } from '../support/site.ts'

let site: Site

beforeAll(async () => {
  site = await Site.start({
    timers: { tRetry: '300ms', nRetry: 1 },
    sensors: [{ match: 'small-*', maxMessageSize: 64 }],
  })
})

afterAll(() => site?.stop())

it('bisquitt: REGACK 0x02 to a name that it has already, and all its messages arrive [SN-GPUB-6 in part]', async () => {
  const go = await site.client()
  await go.talk(`
    > 04 00 01 003c "bisquitt"
    < 05 00
    > 12 20 0001 "go/+"
    < 13 20 0000 0001 00
    > 12 20 0002 "go/named"
    < 13 20 $named= 0002 00`)
  await site.office.publish('go/a', 'first')
  await go.talk(`
    < 0a $a= $r= "go/a"
    < 0a $a $r "go/a"         ; REGACK 0x00 was lost
    > 0b $a $r 02             ; so it has the name
    < 0c 20 $a $m= "first"
    > 0d $a $m 00`)
  await site.office.publish('go/a', 'second')
  await go.talk(`
    < 0c 20 $a $m= "second"
    > 0d $a $m 00
    > 04 00 01 003c "bisquitt" ; connects again, and keeps its names
    < 05 00`)
  await site.office.publish('go/named', 'third')
  await go.talk(`
    < 0a $named $r= "go/named"
    > 0b $named $r 02
    < 0c 20 $named $m= "third"
    > 0d $named $m 00`)
  await site.office.publish('go/a', 'fourth')
  await go.talk(`
    < 0a $a $r= "go/a"
    > 0b $a $r 02
    < 0c 20 $a $m= "fourth"
    > 0d $a $m 00
    > 18
    < 18`)
})

it('simon622 (Java): forgets ids when it falls asleep, and says 0x03 without a topic id [SN-GPUB-7 in part]', async () => {
  const java = await site.client()
  await java.talk(`
    > 04 00 01 003c "java"
    < 05 00
    > 12 20 0001 "java/one"
    < 13 20 $one= 0001 00
    > 12 00 0002 "java/zero"
    < 13 00 $zero= 0002 00
    > 18 003c
    < 18`)
  for (const text of ['first', 'second']) await site.office.publish('java/one', text)
  await site.waiting('java', 2)
  await java.talk(`
    > 16 "java"
    < 0c 20 $one $m= "first"
    > 0d 0000 $m 03
    < 0a $one $m "java/one"
    > 0b $one $m 00
    < 0c 20 $one $m "first"
    > 0d $one $m 00
    < 0c 20 $one $n= "second"
    > 0d $one $n 00
    < 17
    > 18 003c
    < 18`)
  await site.office.publish('java/zero', 'lost', { qos: 0 })
  await site.waiting('java', 1)
  await java.talk(`
    > 16 "java"
    < 0c 00 $zero 0000 "lost"
    < 17
    > 0d 0000 0000 03`)
  await site.office.publish('java/zero', 'arrives', { qos: 0 })
  await site.waiting('java', 1)
  await java.talk(`
    > 16 "java"
    < 0a $zero $r= "java/zero"
    > 0b $zero $r 00
    < 0c 00 $zero 0000 "arrives"
    < 17
    > 18
    < 18`)
})

it('CommsChampion: 0x02 to an id it does not have, at every QoS; 0x03 to a QoS that it was built without', async () => {
  const cc = await site.client()
  await cc.talk(`
    > 04 04 01 003c "cc"
    < 05 00
    > 12 40 0001 "cc/x"
    < 13 40 $x= 0001 00`)
  await site.office.publish('cc/x', 'zero', { qos: 0 })
  await cc.talk(`
    < 0c 00 $x 0000 "zero"
    > 0d $x 0000 02`)
  await site.office.publish('cc/x', 'one')
  await cc.talk(`
    < 0a $x $r= "cc/x"
    > 0b $x $r 00
    < 0c 20 $x $m= "one"
    > 0d $x $m 00`)
  await site.office.publish('cc/x', 'two', { qos: 2 })
  await site.office.publish('cc/x', 'behind it')
  await cc.talk(`
    < 0c 40 $x $m= "two"
    > 0d $x $m 03
    < 0c 20 $x $m= "behind it"
    > 0d $x $m 00
    > 18
    < 18`)
})

it('answers are known by their MsgId, whatever topic id is in them [SN-GPUB-5 in part]', async () => {
  const client = await site.client()
  await client.talk(`
    > 04 04 01 003c "wrong-ids"
    < 05 00
    > 12 20 0001 "ids/+"
    < 13 20 0000 0001 00`)
  await site.office.publish('ids/a', 'one')
  await site.office.publish('ids/a', 'two')
  await client.talk(`
    < 0a $a= $r= "ids/a"
    > 0b 0000 $r 00
    < 0c 20 $a $m= "one"
    > 0d 0000 $m 00
    < 0c 20 $a $m= "two"
    > 0d $a $m 00
    < -
    > 18
    < 18`)
})

it('a shared subscription has the id of the name that it shares; a malformed one gets 0x03 [SN-SUB-6 in part]', async () => {
  const client = await site.client()
  await client.talk(`
    > 04 04 01 003c "sharer"
    < 05 00
    > 12 20 0001 "$share/g/sh/x"
    < 13 20 $x= 0001 00
    > 0a 0000 0002 "sh/x"
    < 0b $x 0002 00
    > 12 20 0003 "$share/g/sh/+"
    < 13 20 0000 0003 00
    > 12 20 0004 "$share/g"
    < 13 00 0000 0004 03
    > 12 20 0005 "$share//x"
    < 13 00 0000 0005 03
    > 12 20 0006 "$share/+/x"
    < 13 00 0000 0006 03
    > 18
    < 18`)
})

it('a small buffer: a message that is never answered is set aside when the device pings meanwhile, and the next comes', async () => {
  const device = await site.client()
  const long = 'x'.repeat(400)
  await device.talk(`
    > 04 04 01 003c "tiny"
    < 05 00
    > 12 20 0001 "tiny/a"
    < 13 20 $a= 0001 00`)
  await site.office.publish('tiny/a', long)
  await site.office.publish('tiny/a', 'next')
  await device.talk(`
    < 0c 20 $a $m= "${long}"
    > 16
    < 17
    < 0c a0 $a $m "${long}"
    < 0c 20 $a $n= "next"
    > 0d $a $n 00
    > 18
    < 18`)
})

it('a small buffer, asleep: PINGRESP comes, others come first, and after two wakings the message is set aside', async () => {
  const device = await site.client()
  const long = 'x'.repeat(400)
  await device.talk(`
    > 04 04 01 003c "dozy"
    < 05 00
    > 12 20 0001 "dozy/a"
    < 13 20 $a= 0001 00
    > 12 20 0002 "dozy/b"
    < 13 20 $b= 0002 00
    > 18 003c
    < 18`)
  await site.office.publish('dozy/a', long)
  await site.office.publish('dozy/b', 'other')
  await site.waiting('dozy', 2)
  await device.talk(`
    > 16 "dozy"
    < 0c 20 $a $m= "${long}"
    > 16 "dozy"               ; it waits for PINGRESP
    < 0c a0 $a $m "${long}"
    < 17
    > 16 "dozy"
    < 0c 20 $b $n= "other"
    > 0d $b $n 00
    < 0c a0 $a $m "${long}"
    < 0c a0 $a $m "${long}"
    < 17
    > 16 "dozy"
    < 17
    > 18
    < 18`)
})

it('a small buffer that the configuration knows: longer messages are not sent at all [SN-GPUB-9 in part]', async () => {
  const device = await site.client()
  await device.talk(`
    > 04 04 01 003c "small-1"
    < 05 00
    > 12 20 0001 "small/+"
    < 13 20 0000 0001 00`)
  await site.office.publish('small/a', 'x'.repeat(58)) // 65 octets
  await site.office.publish(`small/${'n'.repeat(53)}`, 'its REGISTER has 65')
  await site.office.publish('small/a', 'x'.repeat(57))
  await device.talk(`
    < 0a $a= $r= "small/a"
    > 0b $a $r 00
    < 0c 20 $a $m= "${'x'.repeat(57)}"
    > 0d $a $m 00
    > 18
    < 18`)
  expect(site.drops('too-long')).toBe(2)
  expect(site.drops('undeliverable')).toBe(2)
})
