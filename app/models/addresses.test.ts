import { describe, expect, it } from 'vitest'
import { claimsInvite, inviteIn, inviteLink, relaysIn } from './invite-address.ts'
import { discoverRelay, ownHostAddress, relayAddressesIn } from './relay-discovery.ts'

const fragment = 'Ab3_-'.repeat(40)
const peer = '12D3KooWB1Bx5tptaG8P2MBJqUKjeWHBd6qhxipDLTbpkbtrueJW'
const local = `/ip4/127.0.0.1/tcp/8787/ws/p2p/${peer}`

describe('invite addresses', () => {
  it('finds the invite in a link, in a fragment and bare', () => {
    const link = inviteLink('https://sotto.example/', fragment)
    expect(link).toBe(`https://sotto.example/#i/${fragment}`)
    for (const text of [link, ` ${link}\n`, `#i/${fragment}`, fragment]) expect(inviteIn(text)).toBe(fragment)
  })

  it('refuses what cannot be one', () => {
    for (const text of ['', 'hello', 'https://sotto.example/', `#i/${fragment}!`, '#i/short', 'A'.repeat(9_000)])
      expect(inviteIn(text)).toBeNull()
    expect(claimsInvite('#i/short')).toBe(true)
    expect(claimsInvite('#relay=x')).toBe(false)
  })

  it('reads relay addresses from a fragment', () => {
    expect(relaysIn(`#relay=${local},${encodeURIComponent('/dns/r.example/tcp/443/tls/ws')}`)).toEqual([
      local,
      '/dns/r.example/tcp/443/tls/ws',
    ])
    expect(relaysIn('#i/abc')).toEqual([])
  })
})

describe('the address of a relay as a person gives it', () => {
  it('is a list of multiaddrs, or the address of its page', () => {
    expect(relayAddressesIn(`${local}, /dns/r.example/tcp/443/tls/ws`)).toEqual([
      local,
      '/dns/r.example/tcp/443/tls/ws',
    ])
    expect(relayAddressesIn(' relay.example.org\n')).toEqual(['/dns/relay.example.org/tcp/443/tls/ws'])
    expect(relayAddressesIn('https://Relay.example.org:8443/')).toEqual(['/dns/relay.example.org/tcp/8443/tls/ws'])
    expect(relayAddressesIn('http://localhost:8787')).toEqual(['/dns/localhost/tcp/8787/ws'])
    expect(relayAddressesIn('http://192.0.2.1:80')).toEqual(['/ip4/192.0.2.1/tcp/80/ws'])
    expect(relayAddressesIn('http://[2001:db8::1]:80')).toEqual(['/ip6/2001:db8::1/tcp/80/ws'])
  })

  it('is nothing else', () => {
    for (const text of ['', 'relay', 'hello there', 'ftp://relay.example', 'https://relay.example/path', 'a@b.example'])
      expect(relayAddressesIn(text)).toEqual([])
  })
})

describe('relay discovery', () => {
  const answer =
    (body: string, status = 200): typeof fetch =>
    () =>
      Promise.resolve(new Response(body, { status }))
  const origin = { protocol: 'https:', hostname: 'chat.example', port: '' }

  it('puts the page’s own host first', async () => {
    const body = JSON.stringify({ addresses: [local], wsPath: '/' })
    expect(await discoverRelay(answer(body), origin)).toEqual([`/dns/chat.example/tcp/443/tls/ws/p2p/${peer}`, local])
  })

  it('knows hosts that are numbers', () => {
    expect(ownHostAddress({ protocol: 'http:', hostname: '[::1]', port: '8787' }, [local])).toBe(
      `/ip6/::1/tcp/8787/ws/p2p/${peer}`,
    )
    expect(ownHostAddress({ protocol: 'https:', hostname: '10.1.2.3', port: '8443' }, [local])).toBe(
      `/ip4/10.1.2.3/tcp/8443/tls/ws/p2p/${peer}`,
    )
  })

  it('finds none at a host that serves the page for every path, has no such file, or does not answer', async () => {
    expect(await discoverRelay(answer('<!doctype html>'), origin)).toEqual([])
    expect(await discoverRelay(answer('', 404), origin)).toEqual([])
    expect(await discoverRelay(answer('{"addresses":7}'), origin)).toEqual([])
    expect(await discoverRelay(() => Promise.reject(new TypeError('offline')), origin)).toEqual([])
  })
})
