import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root } from './step.ts'

/** Goals in KiB, gzipped: JavaScript until something is on screen, until messages flow, and what speeds them up afterwards. */
const firstPaintKiB = 60
const everythingKiB = 260
/** libsodium as its authors build it (131 KiB) and a little around it. */
const afterwardsKiB = 136

interface Chunk {
  readonly file: string
  readonly isEntry?: boolean
  readonly imports?: readonly string[]
}

type Manifest = Readonly<Record<string, Chunk>>

const assets = join(root, 'dist')

const gzippedKiB = async (file: string): Promise<number> =>
  gzipSync(await readFile(join(assets, file)), { level: 9 }).length / 1024

/** Loaded after the first paint without being asked for: messages need it. Other dynamic imports wait for a press of a button. */
const loadedAfterPaint = /(^|\/)signaling\/peer-link\.ts$/

/** Loaded by the engine's worker when messages flow already: the fast cryptography, its WebAssembly within the script. */
const loadedAfterwards = /(^|\/)load-sodium-[^/]+\.js$/

/** The script files of the chunks that `isWanted` names, and of all they import statically. */
const filesOf = (manifest: Manifest, isWanted: (key: string, chunk: Chunk) => boolean): Set<string> => {
  const files = new Set<string>()
  const visit = (key: string): void => {
    const chunk = manifest[key]
    if (chunk === undefined || files.has(chunk.file)) return
    files.add(chunk.file)
    chunk.imports?.forEach(visit)
  }
  for (const [key, chunk] of Object.entries(manifest)) if (isWanted(key, chunk)) visit(key)
  return new Set([...files].filter((file) => file.endsWith('.js')))
}

export interface Sizes {
  readonly firstPaintKiB: number
  readonly everythingKiB: number
  readonly afterwardsKiB: number
}

/** Sizes of the build in dist/. What the manifest does not list is the engine's worker: all of it is loaded at once, but one chunk. */
export const measureSizes = async (): Promise<Sizes> => {
  const manifest = JSON.parse(await readFile(join(assets, '.vite/manifest.json'), 'utf8')) as Manifest
  const first = filesOf(manifest, (_, { isEntry }) => isEntry === true)
  const network = filesOf(manifest, (key) => loadedAfterPaint.test(key))
  if (network.size === 0) throw new Error('the build has no chunk of its own for the network; see .ci/size.ts')
  const listed = new Set(Object.values(manifest).map(({ file }) => file))
  const scripts = (await readdir(assets, { recursive: true })).filter((file) => file.endsWith('.js'))
  const unlisted = scripts.filter((file) => !listed.has(file))
  const afterwards = unlisted.filter((file) => loadedAfterwards.test(file))
  if (afterwards.length !== 1) throw new Error('the build has no chunk of its own for libsodium; see .ci/size.ts')
  const worker = unlisted.filter((file) => !loadedAfterwards.test(file))
  const sum = async (files: Iterable<string>): Promise<number> =>
    (await Promise.all([...files].map(gzippedKiB))).reduce((total, size) => total + size, 0)
  return {
    firstPaintKiB: await sum(first),
    everythingKiB: await sum(new Set([...first, ...network, ...worker])),
    afterwardsKiB: await sum(afterwards),
  }
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
    line('JavaScript after that, for speed', sizes.afterwardsKiB, afterwardsKiB),
  ]
  return results.every(Boolean)
}
