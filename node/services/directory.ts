import { logExtends, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { AccountView } from '../../protocol/identity/account-view.ts'
import {
  directoryProtocol,
  fetchLogParams,
  fetchLogResult,
  publishLogParams,
} from '../../protocol/relay/directory-calls.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import type { Log } from '../log.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { Limits } from './limits.ts'
import { nodeCrypto } from './node-crypto.ts'
import { refuseUnderPressure } from './pressure.ts'
import { handler, ownerKey, reportFailures, yes, type RelayService } from './service.ts'

export interface DirectoryServiceOptions {
  readonly store: RelayStore
  readonly limits: Limits
  readonly log: Log
  /** Milliseconds after which a newcomer may try again; 0 while the relay takes new accounts. */
  readonly pressureMs: () => number
}

/** `/sotto/directory/1`: account logs, which only grow. */
export const directoryService = ({ store, limits, log, pressureMs }: DirectoryServiceOptions): RelayService => {
  const { onFailure, onStoreFailure } = reportFailures(log, 'directory')
  return {
    protocol: directoryProtocol,
    serve: (caller) => ({
      onFailure,
      admit: () => limits.request(caller.connectionId),
      handlers: {
        publishLog: handler(
          publishLogParams,
          (params) => publishLog({ store, limits, pressureMs }, caller, params.log),
          onStoreFailure,
        ),
        fetchLog: handler(
          fetchLogParams,
          ({ accountId }) => {
            const account = store.account(accountId)
            if (!account) throw new RelayRefusal('not-found', 'no log of this account is here')
            return fetchLogResult.encode({ log: account.log })
          },
          onStoreFailure,
        ),
      },
    }),
  }
}

const publishLog = async (
  { store, limits, pressureMs }: Pick<DirectoryServiceOptions, 'store' | 'limits' | 'pressureMs'>,
  caller: Caller,
  log: Uint8Array,
): Promise<Uint8Array> => {
  limits.publishLog(caller)
  const view: AccountView = verifyAccountLog(log, nodeCrypto)
  const key = ownerKey(caller)
  if (!view.devices.some(({ deviceKey }) => Buffer.compare(deviceKey, key) === 0)) {
    throw new RelayRefusal('not-owner', 'your key is no device of this account')
  }
  const stored = store.account(view.accountId)
  // Only newcomers: an account that is here may always say that a device is gone or its relays have changed.
  if (!stored) refuseUnderPressure(pressureMs, 'accounts')
  if (stored && Buffer.compare(stored.head, view.head) === 0) return yes
  const extending = !stored || logExtends(log, stored.head, nodeCrypto)
  // False as well when another device was quicker: the stored head is then a new one.
  if (!extending || !(await store.putAccount({ ...view, log }, stored?.head ?? null))) {
    throw new RelayRefusal('stale-head', 'this log does not extend the one stored here')
  }
  return yes
}
