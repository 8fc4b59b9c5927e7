import { describe, expect, it } from 'vitest'
import { createFixtureEngine, readyState, relay } from './engine.fixture.ts'
import { OwnRelaysModel } from './own-relays-model.ts'

const start = () => {
  const engine = createFixtureEngine(readyState([]))
  const relays = new OwnRelaysModel(engine)
  relays.apply([relay])
  return { engine, relays }
}

describe('own relays', () => {
  it('are added by an address, and say what has been done', async () => {
    const { relays } = start()
    relays.begin({ kind: 'add' })
    relays.editAddress('nonsense')
    await relays.submit()
    expect(relays.problem.value).toContain('not the address of a relay')
    relays.editAddress('relay.example.org')
    expect(relays.problem.value).toBeNull()
    await relays.submit()
    expect(relays.relays.value.map(({ addresses }) => addresses)).toEqual([
      relay.addresses,
      ['/dns/relay.example.org/tcp/443/tls/ws'],
    ])
    expect(relays.task.value).toEqual({ kind: 'none' })
    expect(relays.news.value).toContain('added')
  })

  it('stay as they are when the engine refuses, and the question stays open', async () => {
    const { engine, relays } = start()
    relays.begin({ kind: 'remove', relayId: relay.relayId })
    engine.failNext = { code: 'relay-choice', message: 'This is your only relay.' }
    await relays.remove()
    expect(relays.problem.value).toBe('This is your only relay.')
    expect(relays.task.value.kind).toBe('remove')
    relays.cancel()
    expect(relays.problem.value).toBeNull()
    expect(relays.relays.value).toHaveLength(1)
  })

  it('are exchanged in one act', async () => {
    const { relays } = start()
    relays.begin({ kind: 'move', relayId: relay.relayId })
    relays.editAddress('https://other.example')
    await relays.submit()
    expect(relays.relays.value.map(({ addresses }) => addresses)).toEqual([['/dns/other.example/tcp/443/tls/ws']])
    expect(relays.news.value).toContain('moved')
  })
})
