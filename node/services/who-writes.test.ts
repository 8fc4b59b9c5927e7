import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { done } from '../../protocol/relay/frame.ts'
import { directoryProtocol, publishLogParams } from '../../protocol/relay/directory-calls.ts'
import { mailboxProtocol } from '../../protocol/relay/mailbox-calls.ts'
import { toBase64Url, toHex } from '../../protocol/wire/bytes.ts'
import { keyOfPeerId } from '../../signaling/host/peer-key.ts'
import { makeAccount, random } from '../fixtures/account.fixture.ts'
import { call, connect, deposit, drain, makeMailbox } from '../fixtures/relay-client.fixture.ts'
import { killLeftovers, spawnRelay, temporaryDirectory } from '../fixtures/relay-process.fixture.ts'

const directory = temporaryDirectory()
afterEach(() => {
  killLeftovers()
  directory.remove()
})

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

test('a copy of the database and the logs name the reader of a mailbox, never a writer', async () => {
  const relay = await spawnRelay(directory.path, { flags: ['--log-level', 'debug'] })
  const address = relay.listening.addresses[0] ?? ''
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
  for (const { device, accountId } of senders) {
    for (const secret of [accountId, device.deviceKey, device.deviceId, device.identityKey]) {
      expect(added).not.toContain(toHex(secret))
      for (const text of [toHex(secret), toBase64Url(secret)]) expect(spoken).not.toContain(text)
    }
  }
  // Not even the throwaway keys are kept.
  expect(couriers.map(({ length }) => length)).toEqual([32, 32, 32])
  for (const key of couriers) expect(rows.join('\n')).not.toContain(toHex(key))
  expect(await drain(address, mailbox)).toHaveLength(9)
  await relay.end()
}, 30_000)
