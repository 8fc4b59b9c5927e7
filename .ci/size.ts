import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './step.ts'

/** Goals in KiB, gzipped: JavaScript until something is on screen, and until messages flow (all of it). */
const firstPaintKiB = 60
const everythingKiB = 260

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly imports?: readonly string[]
}

const assets = join(root, 'dist')

const gzippedKiB = async (file: string): Promise<number> =>
  gzipSync(await readFile(join(assets, file)), { level: 9 }).length / 1024

/** Entry chunks and what they import statically: fetched before the first paint. */
const firstPaintFiles = (manifest: Record<string, Chunk>): Set<string> => {
  const files = new Set<string>()
  const visit = (key: string): void => {
    const chunk = manifest[key]
    if (chunk === undefined || files.has(chunk.file)) return
    files.add(chunk.file)
    chunk.imports?.forEach(visit)
  }
  for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key)
  return files
}

export interface Sizes {
  readonly firstPaintKiB: number
  readonly everythingKiB: number
}

/** Sizes of the build in dist/. Workers are in no import graph of the manifest; every script file counts for the whole. */
export const measureSizes = async (): Promise<Sizes> => {
  const manifest = JSON.parse(await readFile(join(assets, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>
  const first = [...firstPaintFiles(manifest)].filter((file) => file.endsWith('.js'))
  const all = (await readdir(assets, { recursive: true })).filter((file) => file.endsWith('.js'))
  const sum = async (files: readonly string[]): Promise<number> =>
    (await Promise.all(files.map(gzippedKiB))).reduce((total, size) => total + size, 0)
  return { firstPaintKiB: await sum(first), everythingKiB: await sum(all) }
}

/** Prints the sizes beside their goals; false if one is missed. */
export const checkSizes = async (): Promise<boolean> => {
  const sizes = await measureSizes()
  const line = (name: string, size: number, goal: number): boolean => {
    console.log(`${name}: ${size.toFixed(1)} KiB gzipped, goal ${goal} KiB${size > goal ? '  MISSED' : ''}`)
    return size <= goal
  }
  const results = [
    line('JavaScript until first paint', sizes.firstPaintKiB, firstPaintKiB),
    line('JavaScript until messages flow', sizes.everythingKiB, everythingKiB),
  ]
  return results.every(Boolean)
}
