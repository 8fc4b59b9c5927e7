import { createSocket, type Socket } from 'node:dgram'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { bindingResponse, readBindingRequest } from './message.ts'
import { startStunServer, type StunServer } from './server.ts'

/** RFC 5769 section 2.2 and 2.3: the sample responses' transaction id and addresses. */
const transactionId = fromHex('b7e7a701bc34d686fa87dfae')

describe('STUN messages', () => {
  test('encode the addresses of RFC 5769 as its samples do', () => {
    const v4 = toHex(bindingResponse(transactionId, '192.0.2.1', 32_853))
    expect(v4).toContain('002000080001a147e112a643')
    const v6 = toHex(bindingResponse(transactionId, '2001:db8:1234:5678:11:2233:4455:6677', 32_853))
    expect(v6).toContain('002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9')
    expect(toHex(bindingResponse(transactionId, '::ffff:192.0.2.1', 32_853))).toBe(v4)
  })

  test('carry the fingerprint of RFC 8489 section 14.7', () => {
    // RFC 5769 section 2.4 gives no plain Binding response, so the check value is computed with the CRC of ISO 3309 here.
    const message = bindingResponse(transactionId, '192.0.2.1', 32_853)
    let crc = 0xffff_ffff
    for (const byte of message.subarray(0, -8)) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1
    }
    const expected = (crc ^ 0xffff_ffff ^ 0x5354_554e) >>> 0
    expect(new DataView(message.buffer).getUint32(message.length - 4)).toBe(expected)
    expect(toHex(message.subarray(-8, -4))).toBe('80280004')
  })

  test('only well-formed Binding requests are read', () => {
    const good = fromHex(`000100002112a442${toHex(transactionId)}`)
    expect(readBindingRequest(good)).toEqual(transactionId)
    for (const bad of [
      '010100002112a442',
      '000100002112a443',
      '000100042112a442',
      '000100032112a442',
      '000300002112a442',
    ]) {
      expect(readBindingRequest(fromHex(`${bad}${toHex(transactionId)}`))).toBeNull()
    }
    expect(readBindingRequest(good.subarray(0, 19))).toBeNull()
    expect(readBindingRequest(new Uint8Array(0))).toBeNull()
  })
})

describe('STUN server', () => {
  let server: StunServer
  let socket: Socket
  let now = 0

  beforeAll(async () => {
    server = await startStunServer('127.0.0.1', 0, () => now)
    socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    socket.close()
    await server.close()
  })

  const request = fromHex(`000100002112a442${toHex(transactionId)}`)
  const answer = () => new Promise<Buffer>((resolve) => socket.once('message', resolve))

  test('tells the asker its own address, and nothing to anything else', async () => {
    const answered = answer()
    socket.send('hello', server.port, '127.0.0.1')
    socket.send(request, server.port, '127.0.0.1')
    expect(toHex(await answered)).toBe(toHex(bindingResponse(transactionId, '127.0.0.1', socket.address().port)))
  })

  test('50 answers at once per address, then 10 a second', async () => {
    now += 1e6
    let answers = 0
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        answers++
        // The last request is told apart by its transaction id, so that silence needs no waiting.
        if (data[19] === 0xff) resolve()
      })
    })
    for (let i = 0; i < 60; i++) await new Promise((resolve) => socket.send(request, server.port, '127.0.0.1', resolve))
    const last = Uint8Array.from(request)
    last[19] = 0xff
    // Everything before was handled once this socket hears of a request sent after the clock moved on.
    const retry = setInterval(() => {
      now += 100
      socket.send(last, server.port, '127.0.0.1')
    }, 20)
    await done
    clearInterval(retry)
    expect(answers).toBeGreaterThanOrEqual(51)
    expect(answers).toBeLessThanOrEqual(55)
  })
})
