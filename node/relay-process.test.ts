import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { mailboxProtocol } from '../protocol/relay/mailbox-calls.ts'
import { toHex } from '../protocol/wire/bytes.ts'

import { random, connect, deposit, drain, makeMailbox } from './load/relay-client.ts'
import { finished, killLeftovers, runRelay, spawnRelay, temporaryDirectory } from './load/relay-process.ts'

const directories: { remove: () => void }[] = []
const data = (): string => {
  const directory = temporaryDirectory()
  directories.push(directory)
  return directory.path
}
afterEach(() => {
  killLeftovers()
  for (const directory of directories.splice(0)) directory.remove()
})

const first = ({ listening }: { listening: { addresses: string[] } }): string => listening.addresses[0] ?? ''

describe('the relay as a process', () => {
  test('killed ten times while clients deposit: nothing acknowledged is lost, order kept, each stored once', async () => {
    const path = data()
    let relay = await spawnRelay(path)
    const port = String(relay.listening.port)
    const mailbox = await makeMailbox(first(relay))
    const acknowledged: string[] = []
    let next = 0
    for (let round = 0; round < 10; round++) {
      const client = await connect(first(relay))
      const stream = await client.open(mailboxProtocol)
      const wanted = acknowledged.length + 5 + ((random(1)[0] ?? 0) % 40)
      // Numbered, so that order can be checked; 24 under way, so that the kill falls between some of their answers.
      const sendOne = async (): Promise<void> => {
        const envelope = random(256)
        new DataView(envelope.buffer).setUint32(0, next++)
        await deposit(stream, mailbox, envelope)
        acknowledged.push(toHex(envelope))
        if (acknowledged.length >= wanted) void relay.end('SIGKILL')
      }
      while (stream.open) await Promise.allSettled(Array.from({ length: 24 }, sendOne))
      expect(await relay.end('SIGKILL')).toBeNull()
      await client.close()
      relay = await spawnRelay(path, { flags: ['--port', port] })
    }
    const stored = (await drain(first(relay), mailbox)).map(toHex)
    expect(new Set(stored).size).toBe(stored.length)
    const kept = new Set(stored)
    expect(acknowledged.filter((envelope) => !kept.has(envelope))).toEqual([])
    expect(stored).toEqual(stored.toSorted())
    expect(acknowledged.length).toBeGreaterThan(100)
    expect(await relay.end()).toBe(0)
  }, 60_000)

  test('keeps peer id and certificate hash over restarts, and its files to itself', async () => {
    const path = data()
    const flags = ['--udp-port', '0']
    const relay = await spawnRelay(path, { flags })
    const certhash = /certhash\/([^/]+)/.exec(relay.listening.addresses.join(' '))?.[1]
    expect(certhash).toMatch(/^uEi/)
    expect(await relay.end('SIGTERM')).toBe(0)
    const again = await spawnRelay(path, { flags })
    expect(again.listening.peerId).toBe(relay.listening.peerId)
    expect(again.listening.addresses.join(' ')).toContain(`/certhash/${certhash}/`)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const file of ['identity.key', 'webrtc-certificate.json', 'relay.sqlite', 'relay.sqlite-wal']) {
      expect(statSync(join(path, file)).mode & 0o777).toBe(0o600)
    }
    expect(await again.end('SIGINT')).toBe(0)
  }, 30_000)

  test('serves by webrtc-direct alone, also after a restart, and stops cleanly with such a connection open', async () => {
    const path = data()
    const relay = await spawnRelay(path, { flags: ['--udp-port', '0'] })
    const direct = relay.listening.addresses.find((address) => address.includes('/webrtc-direct/')) ?? ''
    const mailbox = await makeMailbox(direct)
    const client = await connect(direct)
    await deposit(await client.open(mailboxProtocol), mailbox, random(300))
    expect(await relay.end()).toBe(0)
    await client.close()
    const port = /\/udp\/(\d+)\//.exec(direct)?.[1] ?? ''
    const again = await spawnRelay(path, { flags: ['--udp-port', port] })
    expect(again.listening.addresses).toContain(direct)
    expect(await drain(direct, mailbox)).toHaveLength(1)
    expect(await again.end()).toBe(0)
  }, 60_000)

  test('a taken port, a second relay on the same data and a missing app end with a sentence', async () => {
    const path = data()
    const relay = await spawnRelay(path)
    const port = String(relay.listening.port)
    const taken = await finished(runRelay(data(), { flags: ['--port', port] }))
    expect(taken).toMatchObject({ code: 1, output: expect.stringContaining(`TCP port ${port} is taken`) })
    const second = await finished(runRelay(path))
    expect(second).toMatchObject({
      code: 1,
      output: expect.stringContaining('Another relay is using this data directory'),
    })
    const wrong = await finished(runRelay(data(), { flags: ['--port', 'eighty'] }))
    expect(wrong).toMatchObject({
      code: 2,
      output: expect.stringContaining('--port is "eighty", but it must be a port'),
    })
    await relay.end()
  }, 30_000)

  test('says nothing about its clients in its output', async () => {
    const relay = await spawnRelay(data(), { flags: ['--log-level', 'debug'] })
    const mailbox = await makeMailbox(first(relay))
    const client = await connect(first(relay))
    const stream = await client.open(mailboxProtocol)
    await deposit(stream, mailbox, random(300))
    const peers = [client.libp2p.peerId.toString(), toHex(mailbox.mailboxId), toHex(mailbox.lanes[0]!)]
    await client.close()
    await relay.end()
    const spoken = relay.output().split('"event":"listening"')[1] ?? ''
    for (const secret of [...peers, '127.0.0.1:', toHex(mailbox.seed)]) expect(relay.output()).not.toContain(secret)
    expect(spoken).toContain('"event":"stopped"')
  }, 30_000)
})
