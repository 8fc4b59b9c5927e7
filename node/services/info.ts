import { done } from '../../protocol/relay/frame.ts'
import { infoProtocol, relayInfo, type RelayInfo } from '../../protocol/relay/info-calls.ts'
import type { Log } from '../log.ts'
import type { Limits } from './limits.ts'
import { handler, reportFailures, type RelayService } from './service.ts'

/** `/sotto/info/1`: what anybody may know of the relay. */
export const infoService = ({
  info,
  limits,
  log,
}: {
  info: () => RelayInfo
  limits: Limits
  log: Log
}): RelayService => {
  const { onFailure, onStoreFailure } = reportFailures(log, 'info')
  return {
    protocol: infoProtocol,
    serve: (caller) => ({
      onFailure,
      admit: () => limits.request(caller.connectionId),
      handlers: { info: handler(done, () => relayInfo.encode(info()), onStoreFailure) },
    }),
  }
}
