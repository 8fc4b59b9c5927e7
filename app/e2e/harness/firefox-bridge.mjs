// Hands connections to a socket in the file system on to a port of this network namespace's loopback.
// usage: node firefox-bridge.mjs <path of the socket> <port>
import { connect, createServer } from 'node:net'

const [path, port] = process.argv.slice(2)
const server = createServer((outside) => {
  const inside = connect(Number(port), '127.0.0.1')
  outside.on('error', () => inside.destroy()).pipe(inside)
  inside.on('error', () => outside.destroy()).pipe(outside)
})
server.listen(path, () => process.stdout.write('listening\n'))
