import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Libp2p } from '@libp2p/interface'
import { afterEach, expect, test, vi } from 'vitest'
import { done } from '../../protocol/relay/frame.ts'
import { directoryProtocol, publishLogParams } from '../../protocol/relay/directory-calls.ts'
import { mailboxProtocol } from '../../protocol/relay/mailbox-calls.ts'
import { toBase64Url, toHex } from '../../protocol/wire/bytes.ts'
import { keyOfPeerId, peerIdOfKey } from '../../signaling/host/peer-key.ts'
import { makeAccount } from '../fixtures/account.fixture.ts'
import { random, call, connect, deposit, drain, makeMailbox } from '../load/relay-client.ts'
import { temporaryDirectory } from '../load/relay-process.ts'
import { readConfig } from '../config.ts'
import { createLog } from '../log.ts'
import { startRelay } from '../relay.ts'

/** Everything libp2p tells the relay about who is there, in order. */
const events: string[] = []

const listenTo = (libp2p: Libp2p): Libp2p => {
  const note = ({ type, detail }: CustomEvent<unknown>): void => {
    events.push(
      `${type} ${JSON.stringify(detail, (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))}`,
    )
  }
  libp2p.addEventListener('peer:connect', note)
  libp2p.addEventListener('peer:disconnect', note)
  libp2p.addEventListener('peer:identify', ({ type, detail }) => {
    events.push(`${type} ${detail.peerId.toString()} ${detail.agentVersion} ${detail.listenAddrs.join(' ')}`)
  })
  libp2p.addEventListener('connection:open', ({ type, detail }) => {
    events.push(`${type} ${detail.remotePeer.toString()} ${detail.remoteAddr.toString()}`)
  })
  return libp2p
}

vi.mock('libp2p', async (original) => {
  const actual = await original<typeof import('libp2p')>()
  const createLibp2p: typeof actual.createLibp2p = async (options) => {
    const libp2p = await actual.createLibp2p(options)
    // Clients of this test are made by the same function; only a relay has the relay service.
    if ('relay' in libp2p.services) listenTo(libp2p)
    return libp2p
  }
  return { ...actual, createLibp2p }
})

const directory = temporaryDirectory()
afterEach(() => directory.remove())

const inProcess = async () => {
  const flags = ['--no-app', '--host', '127.0.0.1', '--port', '0', '--udp-port', 'off', '--stun-port', 'off']
  const config = readConfig({ argv: [...flags, '--data', directory.path], env: {}, readFile: () => '' })
  if (config === 'help') throw new Error('not asked for')
  let output = ''
  const log = createLog('debug', (line) => (output += line))
  const relay = await startRelay(config, { log, now: Date.now, version: '0', memoryBytes: () => 0 })
  return { ...relay, output: () => output }
}

/** Every value of every row of every table, as hex. */
const dump = (path: string): string => {
  const database = new DatabaseSync(path)
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const values = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .flatMap((row) => Object.values(row))
      .map((value) => (value instanceof Uint8Array ? toHex(value) : String(value))),
  )
  database.close()
  return values.join('\n')
}

test('a copy of the database, the logs and libp2p’s events name the reader of a mailbox, never a writer', async () => {
  const relay = await inProcess()
  const address = relay.addresses()[0] ?? ''
  const mailbox = await makeMailbox(address, 3)
  // Senders live at this relay as well: their accounts and device keys are known to it, by their own home connections.
  const senders = [makeAccount(), makeAccount(), makeAccount()]
  for (const { device, log } of senders) {
    const home = await connect(address, device.deviceSeed)
    await call(await home.open(directoryProtocol), 'publishLog', [publishLogParams, { log }], done)
    await home.close()
  }
  const before = join(directory.path, 'before.sqlite')
  const after = join(directory.path, 'after.sqlite')
  const copy = (to: string): void => {
    copyFileSync(join(directory.path, 'relay.sqlite'), to)
    if (existsSync(join(directory.path, 'relay.sqlite-wal')))
      copyFileSync(join(directory.path, 'relay.sqlite-wal'), `${to}-wal`)
  }
  copy(before)
  // The mailbox's owner and the three senders have left before the first deposit.
  await vi.waitFor(() => expect(events.filter((event) => event.startsWith('peer:disconnect'))).toHaveLength(4))
  const homes = events.splice(0).join('\n')
  const couriers: Uint8Array[] = []
  for (const [lane] of senders.entries()) {
    const courier = await connect(address)
    couriers.push(keyOfPeerId(courier.libp2p.peerId) ?? new Uint8Array())
    const stream = await courier.open(mailboxProtocol)
    for (let i = 0; i < 3; i++) await deposit(stream, mailbox, random(300), lane)
    await courier.close()
  }
  copy(after)
  const known = dump(before).split('\n')
  const rows = dump(after).split('\n')
  const added = rows.filter((value) => !known.includes(value)).join('\n')
  // The control: what was deposited is found by the same search, and so is the owner.
  expect(added.match(/^[0-9a-f]{600}$/gm)).toHaveLength(9)
  expect(rows.join('\n')).toContain(toHex(mailbox.mailboxId))
  const spoken = relay.output()
  const seen = events.join('\n')
  for (const { device, accountId } of senders) {
    const home = peerIdOfKey(device.deviceKey).toString()
    expect(homes).toContain(home)
    expect(seen).not.toContain(home)
    for (const secret of [accountId, device.deviceKey, device.deviceId, device.identityKey]) {
      expect(added).not.toContain(toHex(secret))
      for (const text of [toHex(secret), toBase64Url(secret)]) expect(`${spoken}${seen}`).not.toContain(text)
    }
  }
  // Not even the throwaway keys are kept.
  expect(couriers.map(({ length }) => length)).toEqual([32, 32, 32])
  for (const key of couriers) expect(rows.join('\n')).not.toContain(toHex(key))
  expect(await drain(address, mailbox)).toHaveLength(9)
  await relay.stop()
}, 30_000)
