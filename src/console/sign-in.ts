// Signing in and out: the page that a browser without a pass gets to see, and what it posts to.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Guard } from './security.ts'

/** Why somebody has to sign in (again). */
export type SignInTrouble = 'wrong' | 'too-often'

const TROUBLE: Readonly<Record<SignInTrouble, string>> = {
  wrong: 'This is not the token.',
  'too-often': 'Too many wrong tokens from your address: try again in a minute.',
}

/** What a browser without a pass gets to see. */
export const signInPage = (trouble?: SignInTrouble): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sign in · MQTT-SN gateway</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/styles/style.css">
    <script src="/theme.js"></script>
  </head>
  <body class="sign-in">
    <main>
      <form class="panel" action="/sign-in" method="post">
        <h1><img src="/icon.svg" alt="" width="28" height="28"> MQTT-SN gateway</h1>
        <p class="muted">This console wants the token of its configuration (“console.token”).</p>
        ${trouble === undefined ? '' : `<p class="wrong" role="alert">${TROUBLE[trouble]}</p>`}
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
        <button class="primary">Sign in</button>
      </form>
    </main>
  </body>
</html>
`

/** Whether the browser speaks TLS to a proxy in front, which says so. */
export const isEncrypted = ({ headers }: FastifyRequest): boolean => headers['x-forwarded-proto'] === 'https'

const html = 'text/html; charset=utf-8'
const FORM = 'application/x-www-form-urlencoded'

/** Characters of a token that are looked at. */
const LONGEST_TOKEN = 1024

/** Adds the routes. A form is answered for people, JSON for programs; no other route takes forms, which any site may send. */
export function serveSignIn(app: FastifyInstance, guard: Guard): void {
  app.register((scope, _options, done) => {
    serveRoutes(scope, guard)
    done()
  })
}

function serveRoutes(app: FastifyInstance, guard: Guard): void {
  app.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: 8192 }, (_request, body, done) =>
    done(null, { token: new URLSearchParams(String(body)).get('token') ?? '' }),
  )
  app.post<{ Body: { token: string } }>(
    '/sign-in',
    {
      schema: {
        operationId: 'signIn',
        summary: 'Gives a browser a pass for the token: a cookie that only it can use',
        tags: ['session'],
        security: [],
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['token'],
          properties: { token: { type: 'string', maxLength: LONGEST_TOKEN } },
          examples: [{ token: 'the token of the configuration' }],
        },
        response: {
          204: { description: 'signed in; Set-Cookie has the pass', type: 'null' },
        },
      },
      config: { open: true },
    },
    (request, reply) => {
      const isForm = request.headers['content-type']?.startsWith(FORM) === true
      const { passes } = guard
      const refuse = (status: 401 | 429, trouble: SignInTrouble) => {
        reply.code(status)
        if (status === 429) reply.header('retry-after', '60')
        if (isForm) return reply.type(html).serializer(String).send(signInPage(trouble))
        const error = status === 401 ? 'unauthorized' : 'too-many-attempts'
        return reply.serializer(JSON.stringify).send({ error, message: TROUBLE[trouble] })
      }
      if (passes !== undefined) {
        if (!passes.mayTry(request.ip)) return refuse(429, 'too-often')
        if (!guard.isToken(request.body.token)) {
          passes.noteWrong(request.ip)
          return refuse(401, 'wrong')
        }
        reply.header('set-cookie', passes.open(isEncrypted(request)))
      }
      return isForm ? reply.redirect('/', 303) : reply.code(204).send()
    },
  )
  app.post(
    '/sign-out',
    {
      schema: {
        operationId: 'signOut',
        summary: 'Makes the pass of a browser void',
        tags: ['session'],
        security: [],
        response: { 204: { description: 'signed out', type: 'null' } },
      },
      config: { open: true },
    },
    (request, reply) => {
      const cookie = guard.passes?.close(request.headers.cookie)
      if (cookie !== undefined) reply.header('set-cookie', cookie)
      return reply.code(204).send()
    },
  )
}
