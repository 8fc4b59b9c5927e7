// A name server that knows one name (RFC 1035): its address is the last line read from standard input.
// usage: node name-server.mjs <address to listen on> <name>
import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'

const [listenOn, name] = process.argv.slice(2)
/** 5 s: who looks again soon after a move finds the new address. */
const ttlSeconds = 5
const typeA = 1
let address = [0, 0, 0, 0]

/** The name in a question, and where its type begins. */
const readName = (query) => {
  const labels = []
  let at = 12
  for (let length = query[at]; length > 0; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { asked: labels.join('.').toLowerCase(), end: at + 1 }
}

const answerTo = (query) => {
  const { asked, end } = readName(query)
  const known = asked === name
  const withAddress = known && query.readUInt16BE(end) === typeA
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  // A response, recursion available; the name is there, or does not exist.
  head.writeUInt16BE(known ? 0x8180 : 0x8183, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(withAddress ? 1 : 0, 6)
  const question = query.subarray(12, end + 4)
  const record = Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, ttlSeconds, 0, 4, ...address])
  return Buffer.concat([head, question, ...(withAddress ? [record] : [])])
}

const socket = createSocket('udp4')
socket.on('message', (query, from) => socket.send(answerTo(query), from.port, from.address))
createInterface({ input: process.stdin }).on('line', (line) => {
  address = line.split('.').map(Number)
  process.stdout.write('known\n')
})
socket.bind(53, listenOn)
