// Messages of the gateway's own at a bounded rate, over a connection that is congested or away now and then.

import { describe, expect, it } from 'vitest'
import { PacedPublisher } from '../../../src/gateway/status-topics/paced-publisher.ts'

function made(perSecond: number) {
  const published: string[] = []
  let open = true
  const publish = (topic: string, payload: Uint8Array) => {
    if (open) published.push(`${topic}=${Buffer.from(payload)}`)
    return open
  }
  const publisher = new PacedPublisher(publish, perSecond, 0)
  const put = (topic: string, text: string, how: 'urgent' | 'routine' = 'urgent', done = () => {}) =>
    publisher.put(topic, { make: () => Buffer.from(text), done }, how)
  return { publisher, published, put, close: () => (open = false), reopen: () => (open = true) }
}

describe('the paced publisher', () => {
  it('says everything of 5,000 sensors, in each second at most twice what is allowed, then what is allowed', () => {
    const { publisher, published, put } = made(200)
    for (let i = 0; i < 5000; i++) put(`t${i}`, 'x')
    publisher.send(0)
    expect(published.length).toBe(200)
    let before = published.length
    for (let now = 500; publisher.waiting > 0; now += 500) {
      publisher.send(now)
      expect(published.length - before).toBeLessThanOrEqual(100)
      before = published.length
    }
    expect(new Set(published).size).toBe(5000)
  })

  it('sums what is said of one topic, and says the newest', () => {
    const { publisher, published, put } = made(1)
    put('first', '1')
    for (let i = 0; i < 1000; i++) put('second', `${i}`)
    expect(publisher.waiting).toBe(2)
    for (let now = 0; now < 10_000; now += 500) publisher.send(now)
    expect(published).toEqual(['first=1', 'second=999'])
  })

  it('lets what others wait for pass what has time, and keeps its place', () => {
    const { publisher, published, put } = made(10)
    put('slow', '1', 'routine')
    put('fast', '2')
    put('fast', '3', 'routine')
    put('slow too', '4', 'routine')
    publisher.send(0)
    expect(published).toEqual(['fast=3', 'slow=1', 'slow too=4'])
  })

  it('keeps what cannot be said now, and knows what was said', () => {
    const { publisher, published, put, close, reopen } = made(10)
    let done = 0
    close()
    put('a', '1', 'urgent', () => (done += 1))
    publisher.send(0)
    expect([publisher.waiting, done]).toEqual([1, 0])
    reopen()
    publisher.send(1)
    expect([published, publisher.waiting, done]).toEqual([['a=1'], 0, 1])
    put('b', '2')
    publisher.drop('b')
    publisher.send(2)
    expect(published).toEqual(['a=1'])
  })
})
