import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, runCommand } from './step.ts'

const dist = join(root, 'dist')
const stampFile = '.vite/sources.sha256'

/** Everything the bundle is made of. Tests and documents do not make it stale. */
const sources = ['app/**/*', 'signaling/**/*', 'protocol/**/*', 'vite.config.ts', 'package-lock.json']
const notSources = /(^app\/(e2e|soak)\/|^protocol\/(bench|spec|vectors)\/|\.(test|suite|fixture|bench)\.tsx?$|\.md$)/

const hashSources = async (): Promise<string> => {
  const files: string[] = []
  for (const pattern of sources) {
    for await (const entry of glob(pattern, { cwd: root, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(root.length)
      if (entry.isFile() && !notSources.test(path)) files.push(path)
    }
  }
  const hash = createHash('sha256')
  for (const file of files.sort())
    hash
      .update(`${file}\0`)
      .update(await readFile(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/**
 * Builds the app into dist/ unless what is there was built from the same sources. The new build takes the old one's place
 * only when it is whole, so that a relay serving dist/ from the same checkout never sees half of one.
 */
export const buildIfStale = async (): Promise<boolean> => {
  const wanted = await hashSources()
  const stamp = join(dist, stampFile)
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return true
  console.log('Building the app …')
  const fresh = join(root, `node_modules/.cache/build-${process.pid}`)
  const old = `${fresh}-old`
  try {
    if ((await runCommand('vite', ['build', '--logLevel', 'warn', '--outDir', fresh])) !== 0) return false
    await writeFile(join(fresh, stampFile), wanted)
    if (existsSync(dist)) await rename(dist, old)
    await rename(fresh, dist)
    return true
  } finally {
    await rm(fresh, { recursive: true, force: true })
    await rm(old, { recursive: true, force: true })
  }
}

if (import.meta.main) process.exit((await buildIfStale()) ? 0 : 1)
