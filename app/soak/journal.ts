import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Sealing } from './model.ts'

/**
 * What an engine's process writes down about itself, a line at a time. A written line is the kernel's and outlives the
 * process, also SIGKILL; only a power cut would take it.
 */
export class Journal {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600)
  }

  write(...words: readonly string[]): void {
    writeSync(this.#file, `${words.join(' ')}\n`)
  }

  close(): void {
    closeSync(this.#file)
  }
}

const readLines = (path: string): string[][] => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
  // What a kill left of a last line was never acted upon.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
}

export const sealingsPath = (directory: string): string => join(directory, 'sealings.log')
export const leftPath = (directory: string): string => join(directory, 'left.log')
export const acknowledgedPath = (directory: string): string => join(directory, 'acknowledged.log')

export const readSealings = (directory: string): Sealing[] =>
  readLines(sealingsPath(directory)).map(([key = '', keyAndNonce = '', tag = '']) => ({ key, keyAndNonce, tag }))

/** Tags of ciphertexts that were handed to the network. */
export const readLeft = (directory: string): Set<string> =>
  new Set(readLines(leftPath(directory)).map(([tag = '']) => tag))

/** Hex ids of acknowledged envelopes, oldest first. */
export const readAcknowledged = (directory: string): string[] =>
  readLines(acknowledgedPath(directory)).map(([id = '']) => id)
