import { deleteDB, openDB } from 'idb'
import { describe, expect, it, vi } from 'vitest'
import { turnLogOver } from './log-turnover.ts'

const names = async (): Promise<(string | undefined)[]> => (await indexedDB.databases()).map(({ name }) => name)

/** What is asked of it, and in which mode. */
const watchedLocks = () => {
  const granted: string[] = []
  const locks = {
    request: (name: string, options: LockOptions, act: (lock: Lock | null) => unknown) =>
      navigator.locks.request(name, options, (lock) => {
        granted.push(`${options.mode ?? 'exclusive'} ${lock ? 'granted' : 'refused'}`)
        return act(lock)
      }),
  } as unknown as LockManager
  return { granted, locks }
}

describe('the turnover of the log', () => {
  it('is done by the first that opens the database, leaves nothing behind, and is not done again beside it', async () => {
    const opened = vi.spyOn(indexedDB, 'open')
    const [first, second] = [watchedLocks(), watchedLocks()]
    await turnLogOver(first.locks)
    await vi.waitFor(() => expect(first.granted).toEqual(['exclusive granted', 'shared granted']))
    expect(opened).toHaveBeenCalledOnce()
    expect(await names()).not.toContain('sotto-turnover')

    await turnLogOver(second.locks)
    await vi.waitFor(() => expect(second.granted).toEqual(['exclusive refused', 'shared granted']))
    expect(opened).toHaveBeenCalledOnce()
  })

  it('removes what an earlier one left that did not end', async () => {
    const name = 'sotto-turnover'
    const left = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore('filler') })
    await left.put('filler', new Uint8Array(10), 500)
    left.close()
    await turnLogOver({ request: (_: string, __: unknown, act: (lock: unknown) => unknown) => act({}) } as never)
    expect(await names()).not.toContain(name)
    await deleteDB(name)
  })
})
