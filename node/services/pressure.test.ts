import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { setRelays } from '../../protocol/identity/account-log.ts'
import { publishLogParams } from '../../protocol/relay/directory-calls.ts'
import { registerParams } from '../../protocol/relay/mailbox-calls.ts'
import { publishPrekeysParams } from '../../protocol/relay/prekey-calls.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import type { RequestContext } from '../../signaling/stream/serve-requests.ts'
import { makeAccount, makePrekeys, type TestAccount } from '../fixtures/account.fixture.ts'
import { random } from '../load/relay-client.ts'
import { temporaryDirectory } from '../load/relay-process.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import { directoryService } from './directory.ts'
import { Limits } from './limits.ts'
import { mailboxService } from './mailbox.ts'
import { prekeysService } from './prekeys.ts'
import { watchPressure, type Pressure } from './pressure.ts'
import { yes, type RelayService } from './service.ts'

let pressure: Pressure | undefined
afterEach(() => pressure?.stop())

test('newcomers are turned away while memory is short, and welcome again afterwards', async () => {
  let memory = 100e6
  pressure = watchPressure(tmpdir(), () => memory, 5)
  expect(pressure.retryMs()).toBe(0)
  memory = 2e9
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(15_000))
  memory = 100e6
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(0))
})

test('a disk that cannot be asked counts as full', async () => {
  pressure = watchPressure('/nowhere/at/all', () => 0, 5)
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(15_000))
})

describe('what is refused under pressure', () => {
  const directory = temporaryDirectory()
  const store = openSqliteStore(join(directory.path, 'relay.sqlite'))
  afterAll(async () => {
    await store.close()
    directory.remove()
  })
  let waitMs = 0
  const now = () => Date.now()
  const options = { store, limits: new Limits(now), log: () => {}, now, pressureMs: () => waitMs }
  const context: RequestContext = {
    push: () => Promise.resolve(),
    signal: new AbortController().signal,
    close: () => {},
  }

  const ask = async (service: RelayService, { device }: TestAccount, method: string, params: Uint8Array) => {
    const caller: Caller = { connectionId: 'one', peerKey: device.deviceKey, address: '' }
    const handler = service.serve(caller).handlers[method]
    if (!handler) throw new Error(`no ${method} here`)
    return handler(params, context)
  }
  const publishLog = (account: TestAccount, log = account.log) =>
    ask(directoryService(options), account, 'publishLog', publishLogParams.encode({ log }))
  const publishPrekeys = (account: TestAccount, id: number) => {
    const [accountId, deviceId] = [account.accountId, account.device.deviceId]
    const params = publishPrekeysParams.encode({
      accountId,
      deviceId,
      prekeys: makePrekeys(account, 'one-time', id, 1),
    })
    return ask(prekeysService(options), account, 'publish', params)
  }
  const register = (account: TestAccount, mailboxSecret: Uint8Array) =>
    ask(mailboxService(options), account, 'register', registerParams.encode({ mailboxSecret }))

  test('new accounts, new mailboxes and prekeys; who is here goes on', async () => {
    waitMs = 0
    const [known, newcomer, secret] = [makeAccount(), makeAccount(), random(32)]
    await publishLog(known)
    await publishPrekeys(known, 1)
    await register(known, secret)
    waitMs = 15_000
    const overloaded = { code: 'overloaded', retryAfterMs: 15_000 }
    await expect(publishLog(newcomer)).rejects.toMatchObject(overloaded)
    await expect(publishPrekeys(known, 2)).rejects.toMatchObject(overloaded)
    await expect(register(known, random(32))).rejects.toMatchObject(overloaded)
    expect(await register(known, secret)).toEqual(yes)
    expect(await publishLog(known, setRelays(known.log, [], known.device, 2_000))).toEqual(yes)
    waitMs = 0
    expect(await publishLog(newcomer)).toEqual(yes)
    await publishPrekeys(known, 2)
    expect(store.countPrekeys(known.accountId, known.device.deviceId)).toMatchObject({ oneTime: 2 })
  })
})
