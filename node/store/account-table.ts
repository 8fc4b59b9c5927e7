import type { DatabaseSync } from 'node:sqlite'
import { signedPublicKey, type PrekeyBundle, type SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import type { AccountRecord, ListedDevice, PrekeyCount } from './relay-store.ts'

/** Five times what a device leaves by itself: room for a top-up that crosses another. */
const maxOneTimePerKind = 500

/**
 * A spent one-time key leaves its id behind, so that publishing it again cannot bring it back. Ids ascend; those far below
 * the newest are refused by this distance alone and need no row any more.
 */
const rememberedIds = 10_000

/** What `fetchPrekeysResult` holds. */
const maxDevicesPerAccount = 16

interface DeviceRow {
  readonly number: number
  readonly device_id: Uint8Array
  readonly device_key: Uint8Array
}

const prepare = (database: DatabaseSync) => ({
  account: database.prepare('SELECT head, log FROM account WHERE account_id = ?'),
  putAccount: database.prepare('INSERT OR REPLACE INTO account (account_id, head, log) VALUES (?, ?, ?)'),
  devices: database.prepare('SELECT number, device_id, device_key FROM device WHERE account_id = ? ORDER BY number'),
  device: database.prepare('SELECT number, device_id, device_key FROM device WHERE account_id = ? AND device_id = ?'),
  addDevice: database.prepare('INSERT INTO device (account_id, device_id, device_key) VALUES (?, ?, ?)'),
  dropDevice: database.prepare('DELETE FROM device WHERE number = ?'),
  dropStanding: database.prepare('DELETE FROM standing_prekey WHERE device = ?'),
  dropOneTime: database.prepare('DELETE FROM one_time_prekey WHERE device = ?'),
  standing: database.prepare('SELECT id, prekey FROM standing_prekey WHERE device = ? AND kind = ?'),
  putStanding: database.prepare(
    'INSERT OR REPLACE INTO standing_prekey (device, kind, id, prekey) VALUES (?, ?, ?, ?)',
  ),
  newest: database.prepare('SELECT max(id) AS id FROM one_time_prekey WHERE device = ? AND kind = ?'),
  addOneTime: database.prepare('INSERT OR IGNORE INTO one_time_prekey (device, kind, id, prekey) VALUES (?, ?, ?, ?)'),
  forget: database.prepare('DELETE FROM one_time_prekey WHERE device = ? AND kind = ? AND id <= ? AND prekey IS NULL'),
  left: database.prepare(
    'SELECT count(*) AS count FROM one_time_prekey WHERE device = ? AND kind = ? AND prekey IS NOT NULL',
  ),
  next: database.prepare(
    'SELECT number, prekey FROM one_time_prekey WHERE device = ? AND kind = ? AND prekey IS NOT NULL ORDER BY id LIMIT 1',
  ),
  spend: database.prepare('UPDATE one_time_prekey SET prekey = NULL WHERE number = ?'),
})

type OneTimeKind = 'one-time' | 'one-time-kem'
type StandingKind = 'signed' | 'last-resort-kem'

/** Account logs, their devices and prekeys. Writing methods run inside a transaction of the caller. */
export class AccountTable {
  readonly #sql: ReturnType<typeof prepare>

  constructor(database: DatabaseSync) {
    this.#sql = prepare(database)
  }

  account(accountId: Uint8Array): { head: Uint8Array; log: Uint8Array } | null {
    return (this.#sql.account.get(accountId) as { head: Uint8Array; log: Uint8Array } | undefined) ?? null
  }

  putAccount({ accountId, head, log, devices }: AccountRecord, expectedHead: Uint8Array | null): boolean {
    const stored = this.account(accountId)?.head ?? null
    const asExpected =
      stored === null || expectedHead === null ? stored === expectedHead : Buffer.compare(stored, expectedHead) === 0
    if (!asExpected) return false
    this.#sql.putAccount.run(accountId, head, log)
    const listed = new Map(devices.map((device) => [keyOf(device.deviceId, device.deviceKey), device]))
    for (const { number, device_id: deviceId, device_key: deviceKey } of this.#devices(accountId)) {
      if (!listed.delete(keyOf(deviceId, deviceKey))) this.#dropDevice(number)
    }
    for (const { deviceId, deviceKey } of listed.values()) this.#sql.addDevice.run(accountId, deviceId, deviceKey)
    return true
  }

  device(accountId: Uint8Array, deviceId: Uint8Array): ListedDevice | null {
    const row = this.#device(accountId, deviceId)
    return row ? { deviceId: row.device_id, deviceKey: row.device_key } : null
  }

  publish(
    accountId: Uint8Array,
    deviceId: Uint8Array,
    prekeys: readonly SignedPublicKey[],
  ): PrekeyCount | 'unknown-device' | 'limit' {
    const device = this.#device(accountId, deviceId)?.number
    if (device === undefined) return 'unknown-device'
    const limits = { 'one-time': this.#room(device, 'one-time'), 'one-time-kem': this.#room(device, 'one-time-kem') }
    for (const prekey of prekeys) {
      if (prekey.kind === 'one-time' || prekey.kind === 'one-time-kem') limits[prekey.kind]--
    }
    if (limits['one-time'] < 0 || limits['one-time-kem'] < 0) return 'limit'
    for (const prekey of prekeys) this.#publishOne(device, prekey)
    return this.#count(device)
  }

  count(accountId: Uint8Array, deviceId: Uint8Array): PrekeyCount {
    const device = this.#device(accountId, deviceId)
    return device ? this.#count(device.number) : { oneTime: 0, oneTimeKem: 0 }
  }

  takeBundles(accountId: Uint8Array): PrekeyBundle[] {
    const bundles: PrekeyBundle[] = []
    for (const { number, device_id: deviceId } of this.#devices(accountId).slice(0, maxDevicesPerAccount)) {
      const signedPrekey = this.#standing(number, 'signed')
      const kemPrekey =
        signedPrekey && (this.#take(number, 'one-time-kem') ?? this.#standing(number, 'last-resort-kem'))
      if (!signedPrekey || !kemPrekey) continue
      const oneTimePrekey = this.#take(number, 'one-time')
      bundles.push({ accountId, deviceId, signedPrekey, kemPrekey, ...(oneTimePrekey ? { oneTimePrekey } : {}) })
    }
    return bundles
  }

  #publishOne(device: number, prekey: SignedPublicKey): void {
    const { kind, id } = prekey
    const encoded = signedPublicKey.encode(prekey)
    if (kind === 'signed' || kind === 'last-resort-kem') {
      const current = this.#sql.standing.get(device, kind) as { id: number } | undefined
      if (current === undefined || current.id < id) this.#sql.putStanding.run(device, kind, id, encoded)
      return
    }
    const newest = Number(this.#sql.newest.get(device, kind)?.['id'] ?? 0)
    if (id <= newest - rememberedIds) return
    const { changes } = this.#sql.addOneTime.run(device, kind, id, encoded)
    if (changes === 1 && id > newest) this.#sql.forget.run(device, kind, id - rememberedIds)
  }

  #take(device: number, kind: OneTimeKind): SignedPublicKey | undefined {
    const row = this.#sql.next.get(device, kind) as { number: number; prekey: Uint8Array } | undefined
    if (!row) return undefined
    this.#sql.spend.run(row.number)
    return signedPublicKey.decode(row.prekey)
  }

  #standing(device: number, kind: StandingKind): SignedPublicKey | undefined {
    const row = this.#sql.standing.get(device, kind) as { prekey: Uint8Array } | undefined
    return row && signedPublicKey.decode(row.prekey)
  }

  #count(device: number): PrekeyCount {
    return { oneTime: this.#left(device, 'one-time'), oneTimeKem: this.#left(device, 'one-time-kem') }
  }

  #left(device: number, kind: OneTimeKind): number {
    return Number(this.#sql.left.get(device, kind)?.['count'] ?? 0)
  }

  #room(device: number, kind: OneTimeKind): number {
    return maxOneTimePerKind - this.#left(device, kind)
  }

  #dropDevice(number: number): void {
    this.#sql.dropDevice.run(number)
    this.#sql.dropStanding.run(number)
    this.#sql.dropOneTime.run(number)
  }

  #devices(accountId: Uint8Array): DeviceRow[] {
    return this.#sql.devices.all(accountId) as unknown as DeviceRow[]
  }

  #device(accountId: Uint8Array, deviceId: Uint8Array): DeviceRow | undefined {
    return this.#sql.device.get(accountId, deviceId) as DeviceRow | undefined
  }
}

const keyOf = (deviceId: Uint8Array, deviceKey: Uint8Array): string =>
  `${Buffer.from(deviceId).toString('hex')} ${Buffer.from(deviceKey).toString('hex')}`
