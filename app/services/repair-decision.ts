import type { ProtocolErrorCode } from '../../protocol/wire/error.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { RemoteDeviceRow } from '../store/records/remote-device.ts'
import { backOffWhole } from './timers.ts'

/**
 * What an envelope that does not open may say of the session with whoever sent it: that it, or the prekeys of its handshake,
 * are lost here. Not `duplicate` (its number is spent: it was opened before), not `version` (kept for an update), and not
 * what no honest device sends.
 */
const signsOfLoss: ReadonlySet<ProtocolErrorCode> = new Set([
  'foreign',
  'authentication',
  'key',
  'limit',
  'unknown-prekey',
])

export const isSignOfLoss = (code: ProtocolErrorCode): boolean => signsOfLoss.has(code)

type Past = Pick<RemoteDeviceRow, 'repairs' | 'repairedAtMs'>

/** Repairs in a row as they count now: one less for every day since the last. */
export const repairLevel = ({ repairs, repairedAtMs }: Past, now: number): number =>
  repairedAtMs === undefined ? 0 : Math.max(0, repairs - Math.max(0, Math.floor((now - repairedAtMs) / dayMs)))

/** When the next repair may begin, in Unix milliseconds; `pace`: the first pause and the longest, doubling between them. */
export const nextRepairAtMs = ({ repairs, repairedAtMs }: Past, pace: readonly [number, number]): number =>
  repairedAtMs === undefined ? 0 : repairedAtMs + backOffWhole(Math.max(0, repairs - 1), pace)

/** Whether a handshake that is wanted may begin now: a renewal at once, a repair when the pause since the last one is over. */
export const isHandshakeDue = (
  row: Pick<RemoteDeviceRow, 'repairs' | 'repairedAtMs' | 'handshake'>,
  now: number,
  pace: readonly [number, number],
): boolean =>
  row.handshake === 'renewal' || (row.handshake === 'repair' && decideRepair(row, false, now, pace) === 'handshake')

/**
 * The one decision. `handshake`: make a new session. `ask`: one was made lately, so ask on it for what failed. `later`: neither
 * is possible yet.
 */
export const decideRepair = (
  past: Past,
  hasSession: boolean,
  now: number,
  pace: readonly [number, number],
): 'handshake' | 'ask' | 'later' => {
  // A clock that was put back must not stop repairs until it has caught up.
  const isBefore = past.repairedAtMs !== undefined && now < past.repairedAtMs
  if (isBefore || now >= nextRepairAtMs(past, pace)) return 'handshake'
  return hasSession ? 'ask' : 'later'
}
