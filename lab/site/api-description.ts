// The OpenAPI description of the REST API, asked of a gateway that runs for a moment.

import { createGateway, loadConfig, openConsole } from '../../src/library.ts'

/** A JSON Schema as it stands in the description. */
export interface ApiSchema {
  readonly $ref?: string
  readonly title?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, ApiSchema>>
  readonly required?: readonly string[]
  readonly items?: ApiSchema
  readonly additionalProperties?: boolean | ApiSchema
  readonly anyOf?: readonly ApiSchema[]
  readonly oneOf?: readonly ApiSchema[]
}

interface ApiContent {
  readonly content?: Readonly<Record<string, { readonly schema?: ApiSchema }>>
}

/** One request that may be made. */
export interface ApiOperation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: ApiSchema
  }[]
  readonly requestBody?: ApiContent & { readonly required?: boolean }
  readonly responses?: Readonly<Record<string, ApiContent & { readonly description?: string }>>
}

/** The part of an OpenAPI 3.1 document that is shown. */
export interface ApiDescription {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, ApiSchema>> }
}

/** Starts a gateway on ports of its own, asks it, and stops it. */
export async function askForDescription(): Promise<ApiDescription> {
  const { config } = loadConfig({
    env: {},
    overrides: {
      listeners: [{ url: 'udp://127.0.0.1:0' }],
      broker: { url: 'embedded' },
      store: { type: 'memory' },
      console: { url: 'http://127.0.0.1:0' },
    },
  })
  const gateway = createGateway(config)
  await gateway.start()
  try {
    const console = await openConsole(gateway)
    if (console === undefined) throw new Error('the gateway serves no console')
    try {
      const response = await fetch(`${console.url}/api/openapi.json`)
      if (!response.ok) throw new Error(`/api/openapi.json is answered with ${response.status}`)
      return (await response.json()) as ApiDescription
    } finally {
      await console.close()
    }
  } finally {
    await gateway.stop()
  }
}
