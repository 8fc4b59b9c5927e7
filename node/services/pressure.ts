import { statfs } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { kib, secondMs } from '../../protocol/wire/limits.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'

/** Below this, newcomers are refused: the rest is for the mail of those already here. */
const minFreeDiskBytes = 512 * kib * kib
/** An event loop this late (99th percentile) means answers are late for everybody. */
const maxLoopDelayMs = secondMs
/** 700 MiB: what a machine with 1 GB can give. */
const maxMemoryBytes = 700 * kib * kib

/** Pressure is looked at every 10 s; it may well be gone the second time. */
const retryMs = 15 * secondMs

/** @throws RelayRefusal `overloaded` while `pressureMs` is above 0. `what`: what the relay takes no more of. */
export const refuseUnderPressure = (pressureMs: () => number, what: string): void => {
  const retryAfterMs = pressureMs()
  if (retryAfterMs > 0) throw new RelayRefusal('overloaded', `the relay takes no new ${what} just now`, retryAfterMs)
}

export interface Pressure {
  /** Milliseconds after which a newcomer may try again; 0: welcome. */
  retryMs(): number
  stop(): void
}

/**
 * Watches disk, memory and lateness. `directory`: where the data lies; one that cannot be asked counts as full.
 * `memoryBytes`: resident memory of the process. `everyMs`: default 10 s.
 */
export const watchPressure = (directory: string, memoryBytes: () => number, everyMs = 10 * secondMs): Pressure => {
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  let pressed = false
  const look = async (): Promise<void> => {
    const loopDelayMs = delays.percentile(99) / 1e6
    delays.reset()
    const { bavail, bsize } = await statfs(directory).catch(() => ({ bavail: 0, bsize: 0 }))
    pressed = bavail * bsize < minFreeDiskBytes || loopDelayMs > maxLoopDelayMs || memoryBytes() > maxMemoryBytes
  }
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()
  return {
    retryMs: () => (pressed ? retryMs : 0),
    stop: () => {
      clearInterval(timer)
      delays.disable()
    },
  }
}
