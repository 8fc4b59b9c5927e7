import type { Sodium } from 'libsodium'

/** Alignment of every piece: the hash states inside libsodium hold numbers of 64 bits. */
const aligned = (bytes: number): number => (bytes + 7) & ~7

/**
 * 256 KiB: four times the largest envelope, and more than a session with all the skipped keys it may hold. Taken once, so that
 * no call allocates; what is larger is rare, and is left to noble.
 */
export const scratchBytes = 256 * 1_024

/** Most of what one call needs beside its inputs: keys, states and results. */
const reservedBytes = 8 * 1_024

/** Inputs that together are longer than this do not fit. */
export const maxInputBytes = scratchBytes - reservedBytes

/** One region of libsodium's memory, filled from its beginning within a call and wiped at its end. */
export class Scratch {
  readonly #sodium: Sodium
  readonly #start: number
  #next: number
  #memory: Uint8Array

  /** @throws Error when the memory cannot be had. */
  constructor(sodium: Sodium) {
    this.#sodium = sodium
    this.#start = sodium._malloc(scratchBytes)
    if (this.#start === 0) throw new Error('libsodium has no memory for its scratch region')
    this.#next = this.#start
    this.#memory = sodium.HEAPU8
  }

  /** Asked of the module, which has a thousand names to look through, only when the memory has grown and the old array is empty. */
  get #heap(): Uint8Array {
    if (this.#memory.length === 0) this.#memory = this.#sodium.HEAPU8
    return this.#memory
  }

  /** Runs one call. Whatever it put or took is wiped when it ends. */
  use<T>(call: () => T): T {
    try {
      return call()
    } finally {
      this.#heap.fill(0, this.#start, this.#next)
      this.#next = this.#start
    }
  }

  /** Room for `bytes` bytes, all zero. @throws RangeError over the size of the region: a bug of the caller. */
  take(bytes: number): number {
    const pointer = this.#next
    const next = pointer + aligned(bytes)
    if (next > this.#start + scratchBytes) throw new RangeError('libsodium scratch region is too small')
    this.#next = next
    return pointer
  }

  /** A copy of `data`, followed by room for `extra` bytes more. */
  put(data: Uint8Array, extra = 0): number {
    const pointer = this.take(data.length + extra)
    this.#heap.set(data, pointer)
    return pointer
  }

  /** Copies within the region. */
  copy(from: number, to: number, bytes: number): void {
    this.#heap.copyWithin(to, from, from + bytes)
  }

  /** A fresh array with what stands at `pointer`. */
  read(pointer: number, bytes: number): Uint8Array {
    return this.#heap.slice(pointer, pointer + bytes)
  }
}
