import { describe, expect, test } from 'vitest'
import { readConfig, usage, type RelayConfig } from './config.ts'

const read = (argv: string[], env: Record<string, string> = {}, files: Record<string, string> = {}) =>
  readConfig({
    argv,
    env,
    readFile: (path) => {
      const text = files[path]
      if (text === undefined) throw new Error('no such file')
      return text
    },
  })

const sentence = (argv: string[], env?: Record<string, string>, files?: Record<string, string>): string => {
  try {
    read(argv, env, files)
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError' })
    return (error as Error).message
  }
  return ''
}

describe('configuration', () => {
  test('has a default for everything', () => {
    expect(read([])).toEqual({
      host: '0.0.0.0',
      port: 8787,
      udpPort: 8788,
      stunPort: 8789,
      data: './data',
      app: './dist',
      name: 'Sotto relay',
      announce: [],
      appUrl: null,
      oldestClient: 1,
      trustedProxies: [],
      logLevel: 'info',
    } satisfies RelayConfig)
  })

  test('flags win over the environment, and that over the file', () => {
    const file = {
      'relay.json': '{ "port": 1, "name": "from file", "udp-port": "off", "announce": ["/dns4/a/tcp/1/ws"] }',
    }
    expect(
      read(['--config', 'relay.json', '--port', '3'], { SOTTO_PORT: '2', SOTTO_UDP_PORT: '2' }, file),
    ).toMatchObject({
      port: 3,
      udpPort: 2,
      name: 'from file',
      announce: ['/dns4/a/tcp/1/ws'],
    })
    expect(read([], { SOTTO_CONFIG: 'relay.json' }, file)).toMatchObject({ port: 1, udpPort: null })
    expect(read(['--port=5', '--no-app'])).toMatchObject({ port: 5, app: null })
  })

  test.each([
    [['--port', '65536'], '--port is "65536", but it must be a port number from 0 to 65535.'],
    [['--port', '-1'], '--port is "-1", but it must be a port number from 0 to 65535.'],
    [['--port', '0x50'], '--port is "0x50", but it must be a port number from 0 to 65535.'],
    [['--udp-port', 'none'], '--udp-port is "none", but it must be a port number from 0 to 65535, or "off".'],
    [['--host', 'localhost'], '--host is "localhost", but it must be an IP address, such as 0.0.0.0'],
    [['--announce', 'relay.example.org'], '--announce is "relay.example.org", but it must be a list of multiaddrs'],
    [['--announce', '/ip4/1.2.3.4/tcp/1/ws/p2p/12D3KooWPwJHxqjsPhpVrYK1Kr3Jetd6TkzZZDs8F8ET4XYBSxK4'], 'without /p2p/'],
    [['--app-url', 'javascript:alert(1)'], 'it must be a URL beginning with https:// or http://'],
    [['--name', ''], '--name is "", but it must be a name of 1 to 64 characters.'],
    [['--oldest-client', 'two'], '--oldest-client is "two", but it must be a protocol version, a whole number from 1.'],
    [['--trusted-proxy', '10.0.0.1,proxy'], '--trusted-proxy is "proxy", but it must be an IP address'],
    [['--log-level', 'loud'], 'it must be one of debug, info, warn, error'],
    [['--data', ''], '--data is "", but it must be a folder.'],
    [['--prot', '1'], 'There is no setting "--prot"; see --help.'],
    [['8787'], 'There is no setting "8787"; see --help.'],
    [['--port'], '--port needs a value after it; see --help.'],
    [['--udp-port', '9', '--stun-port', '9'], 'they need different UDP ports'],
    [['--config', 'missing.json'], 'The configuration file missing.json cannot be read as JSON.'],
  ])('%j stops the start with a sentence', (argv, expected) => {
    expect(sentence(argv)).toContain(expected)
  })

  test('the sentence names the source', () => {
    expect(sentence([], { SOTTO_STUN_PORT: 'x' })).toContain('SOTTO_STUN_PORT is "x"')
    expect(sentence(['--config', 'a'], {}, { a: '{"port":"x"}' })).toContain('"port" in a is "x"')
    expect(sentence(['--config', 'a'], {}, { a: '{"ports":1}' })).toContain('unknown setting "ports"')
    expect(sentence(['--config', 'a'], {}, { a: '[]' })).toContain('must hold one JSON object')
  })

  test('help lists every flag', () => {
    expect(read(['--help'])).toBe('help')
    for (const flag of ['--host', '--port', '--udp-port', '--stun-port', '--data', '--no-app', '--announce']) {
      expect(usage()).toContain(flag)
    }
  })
})
