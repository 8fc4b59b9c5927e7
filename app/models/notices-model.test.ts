import { expect, it } from 'vitest'
import { NoticesModel } from './notices-model.ts'

it('says what lasts once, however often it is reported, and again after it was dismissed', () => {
  const notices = new NoticesModel()
  notices.add({ message: 'full' })
  const [first] = notices.notices.value
  notices.add({ message: 'full' })
  // The same object: whoever is about to dismiss it does not lose it under their finger.
  expect(notices.notices.value).toEqual([first])
  notices.add({ message: 'slow' })
  notices.add({ message: 'full' })
  expect(notices.notices.value[0]).toBe(first)
  notices.withdraw('slow')
  notices.dismiss(first?.id ?? 0)
  notices.add({ message: 'full' })
  expect(notices.notices.value).toHaveLength(1)
})

it('shows three at most, the newest last, none twice', () => {
  const notices = new NoticesModel()
  for (const message of ['one', 'two', 'one', 'three', 'four']) notices.add({ message })
  expect(notices.notices.value.map(({ message }) => message)).toEqual(['two', 'three', 'four'])
})
