// What is in deploy/ for several gateways: compose file, manifests, balancers. As test/install/deployment.test.ts for the others.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { cluster as clusterSection } from '../../src/config/cluster/section.ts'
import { directoryWith } from '../config/files.ts'
import { haveCommands } from '../support/debian.ts'
import {
  CONFIG,
  type Compose,
  configOf,
  haveSchemas,
  portOf,
  TOKEN,
  validate,
} from '../support/deployment.ts'

const health = readFileSync('src/console/health.ts', 'utf8')
/** Nodes that share the sensors, which the files are for. */
const hasLinks = 'listen' in clusterSection.shape

describe('deploy/compose.cluster.yaml', () => {
  const file = 'deploy/compose.cluster.yaml'
  const compose = parse(readFileSync(file, 'utf8'), { merge: true }) as Compose
  const all = Object.entries(compose.services)
  const gateways = all.filter(([, { build }]) => build === '..')

  it.skipIf(!haveSchemas)('is one by the schema of compose files', () => {
    expect(validate('compose', file)).toBe('')
  })

  it('mounts files that exist, and names services, volumes, networks and secrets that it declares', () => {
    const sources = all.flatMap(([, { volumes = [] }]) => volumes).map((mount) => mount.split(':')[0] ?? '')
    const files = sources.filter((source) => source.startsWith('.'))
    expect(files.filter((source) => !existsSync(join('deploy', source)))).toEqual([])
    expect(Object.keys(compose.volumes ?? {}).toSorted()).toEqual(
      sources.filter((source) => !source.startsWith('.')).toSorted(),
    )
    const names = (key: 'depends_on' | 'secrets') => all.flatMap(([, service]) => service[key] ?? [])
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(names('depends_on')))
    expect(new Set(names('secrets'))).toEqual(new Set(Object.keys(compose.secrets ?? {})))
    for (const [name, { networks, build }] of all) {
      const joined = Array.isArray(networks) ? networks : Object.keys(networks ?? {})
      expect(joined, name).toEqual(Object.keys(compose.networks ?? {}))
      if (build !== undefined) expect(existsSync(join('deploy', build, 'Dockerfile')), name).toBe(true)
    }
  })

  it.skipIf(!hasLinks)(
    'gives three gateways a configuration that they accept, and names of their own',
    () => {
      expect(gateways).toHaveLength(3)
      for (const [name, { environment = {}, secrets = [], volumes = [], ports = [] }] of gateways) {
        const folder = directoryWith(Object.fromEntries(secrets.map((secret) => [secret, TOKEN])))
        const env = Object.entries(environment).map(([key, value]) => [
          key,
          value
            .replace(/^\$\{.*\}$/, TOKEN)
            .replaceAll('$$', '$')
            .replaceAll('/run/secrets', folder),
        ])
        const [source = ''] = volumes.find((mount) => mount.includes(CONFIG))?.split(':') ?? []
        const config = configOf(join('deploy', source), Object.fromEntries(env))
        expect(config).toMatchObject({ cluster: { node: name, secret: TOKEN }, store: { type: 'postgres' } })
        expect(config.store).toMatchObject({ username: 'mqttsn', password: TOKEN })
        expect(config.listeners.map(({ url }) => portOf(url))).toEqual([1884])
        expect(ports.map((port) => Number(port.split(':')[2]))).toEqual([portOf(config.console.url)])
      }
    },
  )

  it('has the balancer send to the addresses that they have', () => {
    const balancer = compose.services['balancer']
    const addressOf = (networks: unknown) =>
      (networks as { cluster: { ipv4_address: string } }).cluster.ipv4_address
    const { MQTTSN_NODES: nodes, MQTTSN_ADDRESS: own } = balancer?.environment ?? {}
    expect(nodes?.split(' ')).toEqual(gateways.map(([, { networks }]) => addressOf(networks)))
    expect(own).toBe(addressOf(balancer?.networks))
    expect(balancer?.ports).toEqual(['1884:1884/udp'])
  })

  it('has two databases that ask for the password in the same file, one of which follows the other', () => {
    const [first, second] = ['postgres-1', 'postgres-2'].map((name) => compose.services[name])
    const { POSTGRES_PRIMARY: primary, ...same } = second?.environment ?? {}
    expect(same).toEqual(first?.environment)
    expect(primary).toBe('postgres-1')
    expect(same['POSTGRES_PASSWORD_FILE']).toBe(`/run/secrets/${first?.secrets?.[0]}`)
    expect(second?.secrets).toEqual(first?.secrets)
    for (const [, { environment = {} }] of gateways)
      expect(environment['MQTTSN_STORE__URL']).toBe(
        `postgres://${same['POSTGRES_USER']}:$\${file:${same['POSTGRES_PASSWORD_FILE']}}@postgres-1,postgres-2/${same['POSTGRES_DB']}`,
      )
  })
})

/** Of a container. */
interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string }
    readonly fieldRef?: { readonly fieldPath: string }
  }
}

describe('the manifests of several gateways for Kubernetes', () => {
  const folder = 'deploy/kubernetes-cluster'
  const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'))
  const manifests: string[] = kustomization.resources
  const documents = manifests.flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => document.toJS()),
  )
  const [set] = documents.filter(({ kind }) => kind === 'StatefulSet')
  const pod = set.spec.template
  const [container] = pod.spec.containers
  const ports: { name: string; containerPort: number }[] = container.ports
  const portNamed = (name: string) => ports.find((port) => port.name === name)?.containerPort
  const [secrets] = kustomization.secretGenerator
  const values = Object.fromEntries(
    readFileSync(join(folder, 'gateway.env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

  it.skipIf(!haveSchemas)('are ones by the schemas of Kubernetes, with nothing unknown in them', () => {
    expect(validate('kubernetes', ...manifests.map((name) => join(folder, name)))).toBe('')
  })

  it.skipIf(!haveCommands('kubectl'))('are what kustomize puts together', () => {
    const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    const kinds = parseAllDocuments(stdout).map((document) => document.toJS().kind)
    expect(kinds.toSorted()).toEqual(
      [
        'ConfigMap',
        'Namespace',
        'PodDisruptionBudget',
        'Secret',
        ...Array(3).fill('Service'),
        'StatefulSet',
      ].toSorted(),
    )
  })

  it('are all named by the kustomization, with the files that it makes configuration and secrets of', () => {
    const [configuration] = kustomization.configMapGenerator
    const files = [...configuration.files, ...secrets.envs]
    expect(['kustomization.yaml', ...manifests, ...files].toSorted()).toEqual(readdirSync(folder).toSorted())
    expect(pod.spec.volumes).toEqual([{ name: 'config', configMap: { name: configuration.name } }])
    expect(kustomization.images[0].name).toBe(container.image)
  })

  it.skipIf(!hasLinks)('give each gateway a configuration that it accepts, and the name of its pod', () => {
    const given = (container.env as Variable[]).map(({ name, value, valueFrom }): [string, string] => {
      const { secretKeyRef: secret, fieldRef: field } = valueFrom ?? {}
      if (secret !== undefined) expect(secret.name).toBe(secrets.name)
      return [name, value ?? field?.fieldPath ?? values[secret?.key ?? ''] ?? '']
    })
    const config = configOf(join(folder, 'gateway.config.json'), Object.fromEntries(given))
    expect(config).toMatchObject({
      cluster: {
        node: 'metadata.name',
        secret: values['secret'],
        listen: `tcp://0.0.0.0:${portNamed('links')}`,
      },
      store: {
        type: 'postgres',
        username: 'mqttsn',
        password: 'change-me',
        url: 'postgres://gateway-db-rw/mqttsn',
      },
    })
    expect(config.listeners.map(({ url }) => portOf(url))).toEqual([portNamed('mqtt-sn')])
    expect(portOf(config.console.url)).toBe(portNamed('console'))
    expect(container.args).toEqual(['gateway', '-c', CONFIG])
  })

  it('ask for the health where it is served, often enough for sensors that wait', () => {
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port } = container[probe].httpGet
      expect(health).toContain(`'${path}'`)
      expect(portNamed(port), probe).toBeDefined()
    }
    const { periodSeconds, timeoutSeconds, failureThreshold } = container.readinessProbe
    expect(periodSeconds * failureThreshold + timeoutSeconds).toBeLessThanOrEqual(10)
  })

  it('lead from services to ports of the pods, and leave time to hand over', () => {
    const services = documents.filter(({ kind }) => kind === 'Service')
    expect(services.map(({ metadata }) => metadata.name)).toContain(set.spec.serviceName)
    for (const { spec } of services) {
      expect(spec.selector).toEqual(pod.metadata.labels)
      for (const { targetPort, port } of spec.ports) expect(portNamed(targetPort)).toBe(port)
    }
    const [budget] = documents.filter(({ kind }) => kind === 'PodDisruptionBudget')
    expect(budget.spec.selector.matchLabels).toEqual(pod.metadata.labels)
    expect(budget.spec.maxUnavailable).toBe(1)
    expect(set.spec.replicas).toBe(3)
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(45)
  })
})

describe('the balancers in deploy/', () => {
  it.skipIf(!haveCommands('keepalived')).each(['keepalived.conf', 'ipvs.conf'])(
    'have a file for keepalived that it accepts: %s',
    (name) => {
      const checked = spawnSync(
        'keepalived',
        ['--config-test', '--use-file', join('deploy/keepalived', name)],
        {
          encoding: 'utf8',
        },
      )
      // the interface is one of another machine
      const said = checked.stderr
        .split('\n')
        .filter((line) => line !== '' && !/eth0|script_user|Configuration file/.test(line))
      expect(said).toEqual([])
    },
  )

  it('ask for the health where it is served', () => {
    for (const name of ['keepalived/keepalived.conf', 'keepalived/ipvs.conf', 'nftables/balance.sh'])
      expect(readFileSync(join('deploy', name), 'utf8')).toContain('/health/ready')
    expect(health).toContain("'/health/ready'")
  })

  it('have scripts that a shell understands', () => {
    for (const name of [
      'nftables/balance.sh',
      'postgres/primary.sh',
      'postgres/standby.sh',
      'postgres/promote.sh',
    ])
      execFileSync('sh', ['-n', join('deploy', name)])
  })
})
