import { statfs } from 'node:fs/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { kib, minuteMs, secondMs } from '../../protocol/wire/limits.ts'

/** Below this, newcomers are refused: the rest is for the mail of those already here. */
const minFreeDiskBytes = 512 * kib * kib
/** A loop this late (99th percentile) means answers are late for everybody. */
const maxLoopDelayMs = 500
/** 700 MiB: what a machine with 1 GB can give. */
const maxMemoryBytes = 700 * kib * kib

export interface Pressure {
  /** Milliseconds after which a newcomer may try again; 0: welcome. */
  retryMs(): number
  stop(): void
}

/** Watches disk, memory and lateness, looking every 10 s. `memoryBytes`: resident memory of the process. */
export const watchPressure = (directory: string, memoryBytes: () => number): Pressure => {
  const delays = monitorEventLoopDelay({ resolution: 20 })
  delays.enable()
  let pressed = false
  const look = async (): Promise<void> => {
    const loopDelayMs = delays.percentile(99) / 1e6
    delays.reset()
    const { bavail, bsize } = await statfs(directory).catch(() => ({ bavail: 0, bsize: 0 }))
    pressed = bavail * bsize < minFreeDiskBytes || loopDelayMs > maxLoopDelayMs || memoryBytes() > maxMemoryBytes
  }
  const timer = setInterval(() => void look(), 10 * secondMs)
  timer.unref()
  return {
    retryMs: () => (pressed ? minuteMs : 0),
    stop: () => {
      clearInterval(timer)
      delays.disable()
    },
  }
}
