import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TcpProxy } from './tcp-proxy.ts'

/** Says everything back. */
let echo: Server
let proxy: TcpProxy
const opened: Socket[] = []
beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  proxy = await TcpProxy.start(typeof address === 'object' && address !== null ? address.port : 0)
})
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  await proxy.close()
  echo.close()
})

const open = async (): Promise<Socket> => {
  const socket = connect(proxy.port, '127.0.0.1')
  opened.push(socket)
  await once(socket, 'connect')
  return socket
}
const ask = async (socket: Socket, text: string): Promise<string> => {
  socket.write(text)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.toString()
}

test('passes on what it is given, and the end of it', async () => {
  const socket = await open()
  expect(await ask(socket, 'one')).toBe('one')
  socket.end()
  await once(socket, 'close')
  await expect.poll(() => proxy.connections).toBe(0)
})

test('a cut resets what is open; while it lasts nobody comes through, and then everybody', async () => {
  const socket = await open()
  expect(await ask(socket, 'one')).toBe('one')
  proxy.trouble = { kind: 'refuse' }
  const failed = once(socket, 'error')
  proxy.cut()
  await expect(failed).resolves.toMatchObject([{ code: 'ECONNRESET' }])
  const refused = connect(proxy.port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
  proxy.trouble = { kind: 'none' }
  expect(await ask(await open(), 'two')).toBe('two')
})

test('a half-open connection takes everything, says nothing and stays dead; later ones work', async () => {
  const socket = await open()
  expect(await ask(socket, 'one')).toBe('one')
  let heard = 0
  socket.on('data', () => heard++)
  proxy.trouble = { kind: 'swallow' }
  const during = await open()
  during.on('data', () => heard++)
  socket.write('two')
  during.write('three')
  proxy.trouble = { kind: 'none' }
  const later = await open()
  socket.write('four')
  during.write('five')
  expect(await ask(later, 'six')).toBe('six')
  expect(await ask(later, 'seven')).toBe('seven')
  expect(heard).toBe(0)
  expect(socket.destroyed).toBe(false)
  expect(proxy.connections).toBe(3)
})

test('slow and late connections lose nothing', async () => {
  const socket = await open()
  proxy.trouble = { kind: 'delay', delayMs: 60 }
  let before = performance.now()
  expect(await ask(socket, 'one')).toBe('one')
  expect(performance.now() - before).toBeGreaterThan(110)
  proxy.trouble = { kind: 'slow', bytesPerSecond: 10_000 }
  before = performance.now()
  const long = 'x'.repeat(1_000)
  expect(await ask(socket, long)).toBe(long)
  expect(performance.now() - before).toBeGreaterThan(180)
})
