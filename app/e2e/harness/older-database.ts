import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { build } from 'vite'

/** The one piece of the product that scenarios run by themselves: only its own code knows what it stored years ago. */
const entry = fileURLToPath(new URL('../../store/older-database.fixture.ts', import.meta.url))

const bundle = async (): Promise<string> => {
  const lib = { entry, formats: ['iife' as const], name: 'older' }
  const built = await build({ configFile: false, logLevel: 'silent', build: { write: false, lib } })
  const [first] = Array.isArray(built) ? built : [built]
  if (first === undefined || !('output' in first)) throw new Error('nothing was built')
  return first.output[0].code
}

/** Puts what the app has stored for this page's origin back to an older schema; the app must not be running in any page. */
export const makeDatabaseOlder = async (page: Page, version: number): Promise<void> => {
  await page.evaluate(`(() => { ${await bundle()}; return older.makeOlder('sotto', ${version}) })()`)
}

/** Version and tables of what the app has stored. */
export const databaseShape = (page: Page): Promise<{ version: number; tables: string[] }> =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('sotto')
        opening.addEventListener('error', () => reject(new Error('the database does not open')))
        opening.addEventListener('success', () => {
          const { version, objectStoreNames } = opening.result
          resolve({ version, tables: [...objectStoreNames] })
          opening.result.close()
        })
      }),
  )
