// Schemas of routes become code when the first request needs them: all of them at once would be a long turn of the thread that sensors
// wait for, and most are never needed.

import { AjvCompiler } from '@fastify/ajv-compiler'
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import type { FastifyServerOptions } from 'fastify'

type Compilers = NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>

const buildValidator = AjvCompiler()
const buildSerializer = SerializerSelector()

/** Makes something when it is first wanted. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** In place of the framework's own, which does the same as soon as it listens. A schema that is wrong is told with the first request. */
export const lazyCompilers: Compilers = {
  buildValidator(schemas, options) {
    const compiler = once(() => buildValidator(schemas, options))
    return (route) => {
      const checked = once(() => compiler()(route))
      // the framework calls it, and looks at `errors` then
      const validate = ((data: unknown) => {
        const check = checked()
        const isValid = check(data)
        validate.errors = check.errors ?? null
        return isValid
      }) as ReturnType<ReturnType<typeof buildValidator>>
      return validate
    }
  },
  buildSerializer(schemas, options) {
    const compiler = once(() => buildSerializer(schemas, options))
    return (route) => {
      const serializer = once(() => compiler()(route))
      return (data) => serializer()(data)
    }
  },
}
