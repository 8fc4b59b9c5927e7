import { appendFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'
import type { Profile } from './harness/profile.ts'

/** LevelDB's logs are divided into blocks of this size; no record crosses into the next. */
const blockBytes = 32_768

/** The logs of Chromium's LevelDB with everything this browser stores, newest last. */
const logsOf = ({ directory }: Profile): string[] => {
  const root = join(directory, 'Default', 'IndexedDB')
  return readdirSync(root)
    .filter((name) => name.endsWith('.leveldb'))
    .flatMap((name) => readdirSync(join(root, name)).map((file) => join(root, name, file)))
    .filter((file) => file.endsWith('.log'))
    .toSorted()
}

/**
 * What a browser leaves that is killed while it appends a record: its head (4 bytes checksum, 2 bytes length, 1 byte type
 * "whole", little-endian) and the first part of what the head announces.
 */
const tear = (log: string): void => {
  const left = blockBytes - (statSync(log).size % blockBytes)
  expect(left, 'room for a record in this block').toBeGreaterThan(40)
  const head = Buffer.alloc(7)
  head.writeUInt32LE(0x5eed5eed, 0)
  head.writeUInt16LE(Math.min(left - 7, 4_000), 4)
  head.writeUInt8(1, 6)
  appendFileSync(log, Buffer.concat([head, Buffer.alloc(20, 7)]))
}

test('a browser killed in the middle of a write keeps what it stored, however often it is started again', async ({
  world,
}) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('before')
  await alice.profile.kill()
  const [torn = ''] = logsOf(alice.profile).slice(-1)
  tear(torn)

  alice.page = await alice.profile.open()
  await alice.comeBack(relay.url)
  await expect.poll(() => logsOf(alice.profile), { message: 'the torn log is not used any more' }).not.toContain(torn)
  await alice.openConversation('Bob')
  await alice.send('in between')
  await alice.profile.kill()

  alice.page = await alice.profile.open()
  await alice.comeBack(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage('before')
  await alice.expectMessage('in between')
  await bob.expectMessage('in between')
})
