import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { random32 } from '../network.fixture.ts'
import { keyOfPeerId, peerIdOfKey, privateKeyOfSeed, throwawayKey } from './peer-key.ts'
import { directAddress, looseMultiaddrs, relayMultiaddrs } from './relay-addresses.ts'
import { StunServers, hostOf } from './stun-servers.ts'

const keyPair = async (): Promise<{ key: Uint8Array; id: string }> => {
  const { publicKey } = await privateKeyOfSeed(random32())
  return { key: publicKey.raw, id: peerIdOfKey(publicKey.raw).toString() }
}

test('a device key and its peer id stand for each other', async () => {
  const { key } = await keyPair()
  expect(keyOfPeerId(peerIdOfKey(key))).toEqual(key)
  expect(() => peerIdOfKey(key.subarray(1))).toThrow(RangeError)
  expect((await throwawayKey()).publicKey.raw).not.toEqual((await throwawayKey()).publicKey.raw)
})

test('a relay is dialled only under its own key, and never through another', async () => {
  const [{ key, id }, other] = [await keyPair(), await keyPair()]
  const addresses = [
    '/ip4/192.0.2.1/tcp/8787/ws',
    `/dns4/relay.example/tcp/443/tls/ws/p2p/${id}`,
    `/ip4/192.0.2.1/tcp/8787/ws/p2p/${other.id}`,
    `/ip4/192.0.2.1/tcp/8787/ws/p2p/${other.id}/p2p-circuit/p2p/${id}`,
    'not an address',
  ]
  expect(relayMultiaddrs({ relayKey: key, addresses }).map(String)).toEqual([
    `/ip4/192.0.2.1/tcp/8787/ws/p2p/${id}`,
    `/dns4/relay.example/tcp/443/tls/ws/p2p/${id}`,
  ])
  expect(looseMultiaddrs(addresses)).toHaveLength(3)
})

test('a direct connection is asked for at the relay, with WebRTC behind the circuit', async () => {
  const [relay, device] = [await keyPair(), await keyPair()]
  const expected = `/ip4/192.0.2.1/tcp/1/ws/p2p/${relay.id}/p2p-circuit/webrtc/p2p/${device.id}`
  for (const known of ['/ip4/192.0.2.1/tcp/1/ws', `/ip4/192.0.2.1/tcp/1/ws/p2p/${relay.id}`]) {
    expect(directAddress(multiaddr(known), relay.key, device.id).toString()).toBe(expected)
  }
})

test('ICE asks the connected relays and nobody else', () => {
  const stun = new StunServers()
  // Never an absent list: that would mean the public servers of the library.
  expect(stun.rtcConfiguration()).toEqual({ iceServers: [] })
  stun.add('a', multiaddr('/ip4/192.0.2.1/tcp/8787/ws'), 8789)
  stun.add('b', multiaddr('/dns4/relay.example/tcp/443/tls/ws'), 3478)
  stun.add('c', multiaddr('/ip6/2001:db8::1/udp/1/webrtc-direct'), 8789)
  stun.add('d', multiaddr('/ip4/192.0.2.9/tcp/1/ws'), 0)
  expect(stun.rtcConfiguration()).toEqual({
    iceServers: [{ urls: ['stun:192.0.2.1:8789', 'stun:relay.example:3478', 'stun:[2001:db8::1]:8789'] }],
  })
  for (const id of ['a', 'b', 'c']) stun.remove(id)
  expect(stun.rtcConfiguration()).toEqual({ iceServers: [] })
  expect(hostOf(multiaddr(`/tcp/1`))).toBeUndefined()
})
