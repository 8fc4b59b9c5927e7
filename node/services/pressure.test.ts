import { tmpdir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { watchPressure, type Pressure } from './pressure.ts'

let pressure: Pressure | undefined
afterEach(() => pressure?.stop())

test('newcomers are turned away while memory is short, and welcome again afterwards', async () => {
  let memory = 100e6
  pressure = watchPressure(tmpdir(), () => memory, 5)
  expect(pressure.retryMs()).toBe(0)
  memory = 2e9
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(15_000))
  memory = 100e6
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(0))
})

test('a disk that cannot be asked counts as full', async () => {
  pressure = watchPressure('/nowhere/at/all', () => 0, 5)
  await vi.waitFor(() => expect(pressure?.retryMs()).toBe(15_000))
})
