import { verifyPrekey } from '../../protocol/identity/prekeys.ts'
import {
  countPrekeysParams,
  fetchPrekeysParams,
  fetchPrekeysResult,
  prekeyCount,
  prekeysProtocol,
  publishPrekeysParams,
} from '../../protocol/relay/prekey-calls.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import type { Log } from '../log.ts'
import type { ListedDevice, RelayStore } from '../store/relay-store.ts'
import type { Limits } from './limits.ts'
import { nodeCrypto } from './node-crypto.ts'
import { PrekeyWatch } from './prekey-watch.ts'
import { refuseUnderPressure } from './pressure.ts'
import { askerName, handler, ownerKey, reportFailures, type RelayService } from './service.ts'

export interface PrekeysServiceOptions {
  readonly store: RelayStore
  readonly limits: Limits
  readonly log: Log
  /** Milliseconds after which a device may publish again; 0 while the relay takes prekeys. */
  readonly pressureMs: () => number
}

/** `/sotto/prekeys/1`: bundles for those who want to write to a device that is away. */
export const prekeysService = ({ store, limits, log, pressureMs }: PrekeysServiceOptions): RelayService => {
  const { onFailure, onStoreFailure } = reportFailures(log, 'prekeys')
  const watch = new PrekeyWatch()
  return {
    protocol: prekeysProtocol,
    serve: (caller) => ({
      onFailure,
      admit: () => limits.request(caller.connectionId),
      handlers: {
        publish: handler(
          publishPrekeysParams,
          async ({ accountId, deviceId, prekeys }, context) => {
            const { deviceKey } = ownDevice(store, caller, accountId, deviceId)
            // A device comes with what it made until then; nobody waits for its next keys as they wait for mail.
            refuseUnderPressure(pressureMs, 'prekeys')
            for (const prekey of prekeys) verifyPrekey(prekey, { accountId, deviceId, deviceKey }, nodeCrypto)
            const count = await store.publishPrekeys(accountId, deviceId, prekeys)
            if (count === 'unknown-device') throw notOwner()
            if (count === 'limit')
              throw new RelayRefusal('too-large', 'a device leaves at most 500 one-time prekeys of a kind')
            watch.answered(accountId, deviceId, count, context)
            return prekeyCount.encode(count)
          },
          onStoreFailure,
        ),
        count: handler(
          countPrekeysParams,
          ({ accountId, deviceId }, context) => {
            ownDevice(store, caller, accountId, deviceId)
            const count = store.countPrekeys(accountId, deviceId)
            watch.answered(accountId, deviceId, count, context)
            return prekeyCount.encode(count)
          },
          onStoreFailure,
        ),
        fetch: handler(
          fetchPrekeysParams,
          async ({ accountId }) => {
            limits.fetchPrekeys(askerName(caller), caller.address, toHex(accountId))
            const bundles = await store.takeBundles(accountId)
            if (bundles.length === 0) throw new RelayRefusal('not-found', 'no bundle of this account is here')
            for (const { deviceId } of bundles) {
              watch.taken(accountId, deviceId, () => store.countPrekeys(accountId, deviceId))
            }
            return fetchPrekeysResult.encode({ bundles })
          },
          onStoreFailure,
        ),
      },
    }),
  }
}

const notOwner = (): RelayRefusal =>
  new RelayRefusal('not-owner', 'this relay knows no account log in which your key is that device')

const ownDevice = (store: RelayStore, caller: Caller, accountId: Uint8Array, deviceId: Uint8Array): ListedDevice => {
  const device = store.device(accountId, deviceId)
  if (!device || Buffer.compare(device.deviceKey, ownerKey(caller)) !== 0) throw notOwner()
  return device
}
