// Environment variables that override the file.

import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configModel, knownPaths } from '../../src/config/model.ts'
import { variableName } from '../../src/config/reading/environment.ts'
import { load, problemsWith } from './files.ts'

const fromEnvironment = (env: Record<string, string>, content: unknown = {}) => load(content, { env }).config

describe('environment variables', () => {
  it('set values at every level, with keys in upper case and words apart', () => {
    const config = fromEnvironment(
      {
        MQTTSN_BROKER__URL: 'mqtt://other',
        MQTTSN_LOG__LEVEL: 'debug',
        MQTTSN_LISTENERS__0__MAX_MESSAGE_SIZE: '60',
        MQTTSN_LIMITS__QUEUED_MESSAGES: '7',
        MQTTSN_QOS_MINUS_ONE__ENABLED: 'false',
        MQTTSN_TIMERS__T_RETRY: '0.5',
        MQTTSN_TIMERS__T_WAIT: '2m',
        MQTTSN_LISTENERS__0__ALLOW: '["10.0.0.0/8"]',
        MQTTSN_PREDEFINED: '{"3": "three"}',
      },
      { broker: 'mqtt://first', listeners: [{ name: 'kept' }] },
    )
    expect(config.broker.url).toBe('mqtt://other')
    expect(config.log.level).toBe('debug')
    expect(config.listeners).toMatchObject([{ name: 'kept', maxMessageSize: 60, allow: ['10.0.0.0/8'] }])
    expect(config.limits.queuedMessages).toBe(7)
    expect(config.qosMinusOne.enabled).toBe(false)
    expect(config.timers).toMatchObject({ tRetry: 500, tWait: 120_000 })
    expect(config.predefined).toEqual([{ match: '*', topics: { '3': 'three' } }])
  })

  it('stay text where text is expected, whatever they look like', () => {
    const env = { MQTTSN_BROKER__USERNAME: 'true', MQTTSN_BROKER__PASSWORD: '123' }
    expect(fromEnvironment(env).broker).toMatchObject({ username: 'true', password: '123' })
  })

  it('append to lists, in numeric order', () => {
    const names = Array.from({ length: 12 }, (_, i) => [`MQTTSN_SENSORS__${i}__MATCH`, `s${i}`] as const)
    const { sensors } = fromEnvironment(Object.fromEntries(names.toReversed()))
    expect(sensors.map((rule) => rule.match)).toEqual([...names.map(([, match]) => match), '*'])
    expect(problemsWith({}, { env: { MQTTSN_SENSORS__1__MATCH: 'x' } })).toMatchObject([
      { path: 'sensors[1].match', source: 'MQTTSN_SENSORS__1__MATCH' },
    ])
  })

  it('set single predefined topics', () => {
    const env = { MQTTSN_PREDEFINED__0__TOPICS__5: 'five', MQTTSN_PREDEFINED__0__MATCH: 'a*' }
    expect(fromEnvironment(env).predefined).toEqual([{ match: 'a*', topics: { '5': 'five' } }])
  })

  it('reach every key of the schema', () => {
    const model = configModel()
    for (const path of knownPaths(model).filter(([key]) => key !== '$schema')) {
      const name = variableName(path)
      const unknown = [name, 'no value fits everywhere'] as const
      try {
        loadConfig({ env: Object.fromEntries([unknown]) })
      } catch (error) {
        expect(String(error), name).not.toContain('unknown variable')
      }
    }
  })

  it('are an error when they name nothing, with the nearest name', () => {
    const suggestion = (name: string) => problemsWith({}, { env: { [name]: 'secret' } })[0]?.suggestion
    expect(suggestion('MQTTSN_LOG_LEVEL')).toBe('MQTTSN_LOG__LEVEL')
    expect(suggestion('MQTTSN_LIMIT__SENSORS')).toBe('MQTTSN_LIMITS__SENSORS')
    expect(suggestion('MQTTSN_LISTENERS_1_URL')).toBe('MQTTSN_LISTENERS__0__URL')
    expect(problemsWith({}, { env: { MQTTSN_NOTHING: 'secret' } })).toMatchObject([
      { path: '', source: 'MQTTSN_NOTHING', found: 'an unknown variable', suggestion: undefined },
    ])
    expect(JSON.stringify(problemsWith({}, { env: { MQTTSN_NOTHING: 'secret' } }))).not.toContain('secret')
  })

  it('are named when their value is wrong, also together with mistakes in the file', () => {
    const problems = problemsWith({ log: { level: 'loud' } }, { env: { MQTTSN_LIMITS__SENSORS: 'many' } })
    expect(problems.map(({ path, source }) => [path, source])).toEqual([
      ['limits.sensors', 'MQTTSN_LIMITS__SENSORS'],
      ['log.level', 'line 3'],
    ])
    const overridden = problemsWith({}, { overrides: { log: { level: 'loud' } } })
    expect(overridden).toMatchObject([{ path: 'log.level', source: 'command line' }])
  })

  it('of a service with that name are ignored, and so are those without the prefix', () => {
    const env = {
      MQTTSN_SERVICE_HOST: '10.0.0.1',
      MQTTSN_GATEWAY_SERVICE_PORT_UDP: '1884',
      MQTTSN_PORT: 'udp://10.0.0.1:1884',
      MQTTSN_PORT_1884_UDP_ADDR: '10.0.0.1',
      OTHER: 'x',
    }
    const { store: _, ...plain } = fromEnvironment({}) // every folder has a store path of its own
    expect(fromEnvironment(env)).toMatchObject(plain)
    expect(problemsWith({}, { env: { MQTTSN_PORT: '1884' } })).toHaveLength(1)
  })
})
