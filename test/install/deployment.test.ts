// What is in deploy/: the service, the compose files, the manifests. Every variable, path, port and name in them must be one that
// exists, by the gateway's own configuration, by the published schemas, and by each other.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { directoryWith } from '../config/files.ts'
import { haveCommands } from '../support/debian.ts'
import {
  CONFIG,
  type Compose,
  configOf,
  haveSchemas,
  portOf,
  STORE,
  TOKEN,
  validate,
} from '../support/deployment.ts'

const UNIT = 'deploy/mqtt-sn-gateway.service'
const image = readFileSync('Dockerfile', 'utf8')

/** Compose files in which the gateway's state is in a folder. */
const withFolder = ['compose.yaml', 'compose.zephyr.yaml']

describe('the service of systemd', () => {
  const unit = readFileSync(UNIT, 'utf8')
  const settingOf = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? ''

  it.skipIf(!haveCommands('systemd-analyze'))('is one to systemd, and exposes little', () => {
    const verified = spawnSync('systemd-analyze', ['verify', UNIT], { encoding: 'utf8' })
    // the program is where the package puts it, which need not be here
    const said = verified.stderr.split('\n').filter((line) => line.includes(UNIT))
    expect(said.filter((line) => !line.includes('is not executable'))).toEqual([])
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', UNIT], {
      encoding: 'utf8',
    })
    const [, exposure = '10'] = /Overall exposure level.*: ([\d.]+)/.exec(stdout) ?? []
    expect(Number(exposure)).toBeLessThan(3)
  })

  it('starts the gateway with variables and a configuration that it knows', () => {
    const env = Object.fromEntries(
      settingOf('Environment')
        .split(' ')
        .map((pair) => pair.split('=') as [string, string]),
    )
    expect(configOf('deploy/gateway.config.json', env).store).toMatchObject({ path: STORE })
    expect(settingOf('StateDirectory')).toBe('mqttsn')
    expect(settingOf('ExecStart')).toMatch(
      /^\/usr\/bin\/node \S+\/dist\/src\/cli\.js gateway -c \/etc\/mqttsn\//,
    )
    expect(settingOf('ExecStart').endsWith(CONFIG)).toBe(true)
  })
})

describe.each([...withFolder, 'compose.postgres.yaml'])('deploy/%s', (name) => {
  const file = join('deploy', name)
  const compose = parse(readFileSync(file, 'utf8')) as Compose
  const gateway = Object.values(compose.services).find(({ build }) => build !== undefined) ?? {}
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes)

  it.skipIf(!haveSchemas)('is one by the schema of compose files', () => {
    expect(validate('compose', file)).toBe('')
  })

  it('mounts files that exist, and names services, volumes, networks and secrets that it declares', () => {
    const sources = mounts.map((mount) => mount.split(':')[0] ?? '')
    const files = sources.filter((source) => source.startsWith('.'))
    expect(files.length).toBeGreaterThan(1)
    expect(files.filter((source) => !existsSync(join('deploy', source)))).toEqual([])
    const of = (key: 'depends_on' | 'secrets') =>
      Object.values(compose.services).flatMap((one) => one[key] ?? [])
    const networks = Object.values(compose.services).flatMap((one) => Object.keys(one.networks ?? {}))
    expect(Object.keys(compose.volumes ?? {})).toEqual(
      expect.arrayContaining(sources.filter((source) => !source.startsWith('.'))),
    )
    expect(Object.keys(compose.services)).toEqual(expect.arrayContaining(of('depends_on')))
    expect(Object.keys(compose.secrets ?? {})).toEqual(expect.arrayContaining(of('secrets')))
    expect(Object.keys(compose.networks ?? {})).toEqual(expect.arrayContaining(networks))
    expect(existsSync(join('deploy', gateway.build ?? 'nowhere', 'Dockerfile'))).toBe(true)
  })

  it('gives the gateway a configuration that it accepts, and its state a volume or a database', () => {
    const own = (gateway.volumes ?? []).map((mount) => mount.split(':'))
    const [source = ''] = own.find(([, target]) => target === CONFIG) ?? []
    const secrets = directoryWith(
      Object.fromEntries((gateway.secrets ?? []).map((secret) => [secret, TOKEN])),
    )
    const entries = Object.entries(gateway.environment ?? {})
    const env = Object.fromEntries(
      entries.map(([key, value]) => [
        key,
        value
          .replace(/^\$\{.*\}$/, TOKEN)
          .replaceAll('$$', '$')
          .replace('/run/secrets', secrets),
      ]),
    )
    const config = configOf(join('deploy', source), env)
    expect(new URL(String(config.broker.url)).hostname in compose.services).toBe(true)
    expect(own.map(([, target]) => target).includes(STORE)).toBe(withFolder.includes(name))
    expect(config.store.type).toBe(withFolder.includes(name) ? 'lmdb' : 'postgres')
    const ports = [...config.listeners.map(({ url }) => portOf(url)), portOf(config.console.url)]
    for (const port of gateway.ports ?? [])
      expect(ports).toContain(Number(/:(\d+)(?:\/\w+)?$/.exec(port)?.[1]))
    expect(image).toContain(`VOLUME ${STORE}`)
    expect(image).toContain(CONFIG)
  })
})

describe('the database beside the gateway in deploy/compose.postgres.yaml', () => {
  const { services } = parse(readFileSync('deploy/compose.postgres.yaml', 'utf8')) as Compose
  const { environment = {}, secrets = [] } = services['postgres'] ?? {}

  it('has the user, the password and the name that the gateway asks for, and no password in the file', () => {
    const [secret = ''] = secrets
    expect(services['gateway']?.secrets).toEqual(secrets)
    expect(environment['POSTGRES_PASSWORD_FILE']).toBe(`/run/secrets/${secret}`)
    const password = `$\${file:/run/secrets/${secret}}`
    const { POSTGRES_USER: user, POSTGRES_DB: database } = environment
    expect(services['gateway']?.environment?.['MQTTSN_STORE__URL']).toBe(
      `postgres://${user}:${password}@postgres:5432/${database}`,
    )
  })
})

describe('what stands beside the gateway in deploy/compose.yaml', () => {
  const compose = parse(readFileSync('deploy/compose.yaml', 'utf8')) as Compose

  it('is watched by Prometheus where it serves its metrics, with its token', () => {
    const prometheus = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'))
    const [job] = prometheus.scrape_configs
    const [target = ''] = job.static_configs[0].targets
    const { hostname, port } = new URL(`http://${target}`)
    expect(Object.keys(compose.services)).toContain(hostname)
    const { environment = {} } = compose.services[hostname] ?? {}
    expect(Number(port)).toBe(portOf(environment['MQTTSN_CONSOLE__URL'] ?? ''))
    expect(JSON.parse(environment['MQTTSN_CONSOLE__HOSTS'] ?? '[]')).toContain(hostname)
    const [secret = ''] = compose.services['prometheus']?.secrets ?? []
    expect(job.authorization.credentials_file).toBe(`/run/secrets/${secret}`)
    const mounted = (compose.services['prometheus']?.volumes ?? []).map((mount) => mount.split(':')[1])
    expect(mounted).toEqual(expect.arrayContaining(prometheus.rule_files))
  })

  it.skipIf(!haveCommands('promtool'))('has a configuration that Prometheus accepts', () => {
    // the files that it names are those of its container
    const checked = spawnSync('promtool', [
      'check',
      'config',
      '--syntax-only',
      'deploy/prometheus/prometheus.yml',
    ])
    expect(checked.status, String(checked.stderr)).toBe(0)
  })
})

describe('the manifests for Kubernetes', () => {
  const folder = 'deploy/kubernetes'
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

  it.skipIf(!haveSchemas)('are ones by the schemas of Kubernetes, with nothing unknown in them', () => {
    const files = manifests.map((name) => join(folder, name))
    expect(validate('kubernetes', ...files)).toBe('')
  })

  it('are all named by the kustomization, with the files that it makes configuration and secret of', () => {
    const generated = [...kustomization.configMapGenerator, ...kustomization.secretGenerator]
    const files = generated.flatMap(({ files = [], envs = [] }) => [...files, ...envs])
    expect(['kustomization.yaml', ...manifests, ...files].toSorted()).toEqual(readdirSync(folder).toSorted())
    const volumes: { name: string; configMap?: { name: string } }[] = pod.spec.volumes
    const names = generated.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(volumes.flatMap(({ configMap }) => configMap?.name ?? [])))
    const [, token] = container.env.map(({ valueFrom }: { valueFrom?: object }) => valueFrom)
    expect(names).toContain(token.secretKeyRef.name)
    expect(readFileSync(join(folder, 'token.env'), 'utf8')).toMatch(
      new RegExp(`^${token.secretKeyRef.key}=.{16,}`),
    )
    expect(kustomization.images[0].name).toBe(container.image)
  })

  it('give the gateway a configuration that it accepts, and ports that it listens on', () => {
    const env = container.env.map(({ name, value }: Record<string, string>) => [name, value ?? TOKEN])
    const config = configOf(join(folder, 'gateway.config.json'), Object.fromEntries(env))
    expect(config.listeners.map(({ url }) => portOf(url))).toEqual([portNamed('mqtt-sn')])
    expect(portOf(config.console.url)).toBe(portNamed('console'))
    expect(container.args).toEqual(['gateway', '-c', CONFIG])
    const mounts = new Map(
      container.volumeMounts.map((mount: Record<string, string>) => [mount['mountPath'], mount['name']]),
    )
    expect(mounts.get('/etc/mqttsn')).toBe(pod.spec.volumes[0].name)
    expect(mounts.get(STORE)).toBe(set.spec.volumeClaimTemplates[0].metadata.name)
  })

  it('ask for the health where it is served', () => {
    const health = readFileSync('src/console/health.ts', 'utf8')
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port } = container[probe].httpGet
      expect(health).toContain(`'${path}'`)
      expect(portNamed(port), probe).toBeDefined()
    }
  })

  it('lead from services to ports of the one pod that has the store', () => {
    expect(set.spec.replicas).toBe(1)
    const services = documents.filter(({ kind }) => kind === 'Service')
    expect(services.map(({ metadata }) => metadata.name)).toContain(set.spec.serviceName)
    for (const { spec } of services) {
      expect(spec.selector).toEqual(pod.metadata.labels)
      for (const { targetPort } of spec.ports) expect(portNamed(targetPort)).toBeDefined()
    }
    const [budget] = documents.filter(({ kind }) => kind === 'PodDisruptionBudget')
    expect(budget.spec.selector.matchLabels).toEqual(pod.metadata.labels)
    expect(set.spec.selector.matchLabels).toEqual(pod.metadata.labels)
  })
})
