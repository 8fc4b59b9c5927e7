import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../load/relay-process.ts'
import { createHttpServer, listen } from './server.ts'
import { loadStaticApp } from './static-app.ts'

const directory = temporaryDirectory()
const app = join(directory.path, 'dist')
const page = `<!doctype html><title>Sotto</title>${'<p>text</p>'.repeat(500)}`
let server: Server
let port: number
let ready = true

beforeAll(async () => {
  mkdirSync(join(app, 'assets'), { recursive: true })
  mkdirSync(join(app, '.vite'))
  writeFileSync(join(app, 'index.html'), page)
  writeFileSync(join(app, 'assets', 'main-B7k2x_9A.js'), 'export {}\n'.repeat(500))
  writeFileSync(join(app, '.vite', 'manifest.json'), '{}')
  writeFileSync(join(directory.path, 'secret.txt'), 'secret')
  symlinkSync(join(directory.path, 'secret.txt'), join(app, 'link.txt'))
  server = createHttpServer({
    app: await loadStaticApp(app),
    relayJson: () => '{"addresses":[]}',
    ready: () => ready,
    trustedProxies: [],
    onFailure: () => {},
  })
  port = await listen(server, '127.0.0.1', 0)
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
  directory.remove()
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Without the normalisation of paths that `fetch` does. */
const ask = (
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) =>
  new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      )
    })
    request.on('error', reject)
    request.end()
  })

describe('HTTP', () => {
  test('serves the page with every header of the policy, never from a cache unasked', async () => {
    const { status, headers, body } = await ask('/?from=elsewhere')
    expect(status).toBe(200)
    expect(body.toString()).toBe(page)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    expect(headers['permissions-policy']).toContain('camera=(self)')
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; style-src 'self'; img-src 'self' blob: data:; " +
        "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'; trusted-types sotto",
    )
    const etag = headers.etag ?? ''
    expect((await ask('/', { headers: { 'If-None-Match': etag } })).status).toBe(304)
    expect((await ask('/index.html')).body.toString()).toBe(page)
  })

  test('compresses what gains by it, and lets hashed files be kept for good', async () => {
    const path = '/assets/main-B7k2x_9A.js'
    const brotli = await ask(path, { headers: { 'Accept-Encoding': 'gzip, br' } })
    expect(brotli.headers).toMatchObject({
      'content-encoding': 'br',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    expect(brotliDecompressSync(brotli.body).toString()).toContain('export {}')
    const gzip = await ask(path, { headers: { 'Accept-Encoding': 'gzip, br;q=0' } })
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.body).toString()).toContain('export {}')
    const head = await ask(path, { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '5000' } })
    expect(head.body).toHaveLength(0)
  })

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//etc/passwd',
    '/link.txt',
    '/.vite/manifest.json',
    '/assets',
    '/assets/',
    '/index.html%00.js',
    '/__proto__',
    '/constructor',
  ])('%s is not found', async (path) => {
    const { status, body, headers } = await ask(path)
    expect(status).toBe(404)
    expect(body.toString()).toBe('not found\n')
    expect(headers['content-security-policy']).toBeDefined()
  })

  test('tells health, readiness and its addresses', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
    expect(await ask('/readyz')).toMatchObject({ status: 200 })
    ready = false
    expect(await ask('/readyz')).toMatchObject({ status: 503 })
    expect(await ask('/healthz')).toMatchObject({ status: 200 })
    ready = true
    const relay = await ask('/relay.json')
    expect(relay.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
    expect(relay.body.toString()).toBe('{"addresses":[]}')
  })

  test('believes a trusted proxy about who asks, and nobody else', async () => {
    const upgradeFrom = async (trustedProxies: string[]): Promise<string | undefined> => {
      const options = { app: null, relayJson: () => '', ready: () => true, trustedProxies, onFailure: () => {} }
      const proxied = createHttpServer(options)
      const seen = new Promise<string | undefined>((resolve) => {
        proxied.on('upgrade', (request, socket) => {
          resolve(request.socket.remoteAddress)
          socket.destroy()
        })
      })
      const at = await listen(proxied, '127.0.0.1', 0)
      const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'X-Forwarded-For': '198.51.100.9, 192.0.2.7' }
      const request = httpRequest({ host: '127.0.0.1', port: at, headers })
      request.on('error', () => {})
      request.end()
      const address = await seen
      proxied.close()
      return address
    }
    expect(await upgradeFrom(['127.0.0.1'])).toBe('192.0.2.7')
    expect(await upgradeFrom(['10.0.0.1'])).toBe('127.0.0.1')
    expect(await upgradeFrom([])).toBe('127.0.0.1')
  })

  test('takes nothing', async () => {
    expect(await ask('/', { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect(await ask('/', { method: 'DELETE' })).toMatchObject({ status: 405 })
  })

  test('cuts off a request that never ends', async () => {
    const socket = connect(port, '127.0.0.1')
    const said = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (data: Buffer) => (text += data.toString()))
      socket.on('close', () => resolve(text))
    })
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(await said).toContain('408 Request Timeout')
  }, 30_000)

  test('says what is missing when there is no app', async () => {
    await expect(loadStaticApp(join(directory.path, 'nowhere'))).rejects.toMatchObject({
      name: 'AppMissing',
      message: expect.stringContaining('npm run build'),
    })
  })
})
