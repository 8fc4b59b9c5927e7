import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { installedBrowser } from '../../../.ci/find-browser.ts'

/** The command, run inside a network namespace if one is named. */
export const inNamespace = (namespace: string | undefined, command: [string, ...string[]]): [string, ...string[]] =>
  namespace === undefined ? command : ['ip', 'netns', 'exec', namespace, ...command]

const run = (command: string, ...args: string[]): void => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0

/** Why this machine cannot build networks, as the reason of a skipped test; undefined if it can. */
export const whyNoNamespaces = (): string | undefined => {
  if (process.platform !== 'linux') return 'skipped: needs Linux network namespaces'
  if (process.getuid?.() !== 0) return 'skipped: needs root, to build network namespaces'
  if (!succeeds('ip', '-V')) return 'skipped: needs the ip command (Debian: iproute2)'
  if (!succeeds('iptables', '--version')) return 'skipped: needs iptables'
  const probe = `sotto-probe-${process.pid}`
  if (!succeeds('ip', 'netns', 'add', probe)) return 'skipped: needs permission to add network namespaces'
  const masquerades = succeeds(...inNamespace(probe, ['iptables', '-t', 'nat', '-L']))
  run('ip', 'netns', 'del', probe)
  return masquerades ? undefined : 'skipped: needs iptables with the nat table'
}

/** Addresses reserved for documentation stand for the public internet; private ones for the homes. */
export const relayHost = '203.0.113.1'

/** Where the relay may move to. */
export const relayHostLater = '203.0.113.2'

/** Where everybody in the small internet looks names up. */
const nameServerHost = '203.0.113.53'
const nameServer = fileURLToPath(new URL('./name-server.mjs', import.meta.url))
type Names = ChildProcessByStdio<Writable, Readable, null>

/** The relay by name: as everybody in the small internet resolves it. */
export const relayName = 'relay.test'

/**
 * A small internet: one namespace that holds the public address of the relay, and any number of others around it.
 *
 *     home 192.168.n.2 ── router (masquerades) 198.18.n.2 ───┐
 *                                                                 internet 203.0.113.1 (relay)
 *     machine 198.18.n.2 ──────────────────────────────────┘
 */
export class SmallInternet {
  readonly #prefix: string
  readonly #namespaces: string[] = []
  readonly internet: string
  readonly #networks = new Map<string, string>()
  #names: Names | undefined
  #links = 0

  private constructor(prefix: string) {
    this.#prefix = prefix
    this.internet = this.#add('net')
    this.#in(this.internet, 'ip', 'addr', 'add', `${relayHost}/32`, 'dev', 'lo')
    this.#in(this.internet, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
  }

  /** The address that the relay's name has from now on; the first time before homes are made. */
  async name(address: string): Promise<void> {
    this.#names ??= this.#startNames()
    const { stdin, stdout } = this.#names
    stdin.write(`${address}\n`)
    await once(stdout, 'data')
  }

  /** The relay gets another address instead of the one it had, under the same name. */
  async moveRelay(): Promise<void> {
    this.#in(this.internet, 'ip', 'addr', 'add', `${relayHostLater}/32`, 'dev', 'lo')
    this.#in(this.internet, 'ip', 'addr', 'del', `${relayHost}/32`, 'dev', 'lo')
    await this.name(relayHostLater)
  }

  #startNames(): Names {
    this.#in(this.internet, 'ip', 'addr', 'add', `${nameServerHost}/32`, 'dev', 'lo')
    const [command, ...args] = inNamespace(this.internet, [process.execPath, nameServer, nameServerHost, relayName])
    return spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  /** Takes the cable out of a home. */
  unplug(home: string): void {
    this.#in(home, 'ip', 'link', 'set', 'lan', 'down')
  }

  /** Puts it back. */
  plug(home: string): void {
    this.#in(home, 'ip', 'link', 'set', 'lan', 'up')
    const network = this.#networks.get(home)
    this.#in(home, 'ip', 'route', 'add', 'default', 'via', `${network}.1`)
  }

  /** `ip netns exec` puts this file in the place of /etc/resolv.conf. */
  #tellNames(namespace: string): void {
    if (this.#names === undefined) return
    mkdirSync(`/etc/netns/${namespace}`, { recursive: true })
    writeFileSync(`/etc/netns/${namespace}/resolv.conf`, `nameserver ${nameServerHost}\n`)
  }

  static build(): SmallInternet {
    return new SmallInternet(`sotto-${process.pid}`)
  }

  #add(name: string): string {
    const namespace = `${this.#prefix}-${name}`
    run('ip', 'netns', 'add', namespace)
    this.#namespaces.push(namespace)
    this.#tellNames(namespace)
    this.#in(namespace, 'ip', 'link', 'set', 'lo', 'up')
    return namespace
  }

  #in(namespace: string, ...command: [string, ...string[]]): void {
    const [first, ...rest] = inNamespace(namespace, command)
    run(first, ...rest)
  }

  /** A cable from `inner` to `outer`; `inner` sends everything it does not know through it. */
  #connect(inner: string, outer: string, network: string, innerDevice: string): void {
    const outerDevice = `link${this.#links}`
    run('ip', 'link', 'add', innerDevice, 'netns', inner, 'type', 'veth', 'peer', 'name', outerDevice, 'netns', outer)
    this.#in(inner, 'ip', 'addr', 'add', `${network}.2/24`, 'dev', innerDevice)
    this.#in(outer, 'ip', 'addr', 'add', `${network}.1/24`, 'dev', outerDevice)
    this.#in(inner, 'ip', 'link', 'set', innerDevice, 'up')
    this.#in(outer, 'ip', 'link', 'set', outerDevice, 'up')
    this.#in(inner, 'ip', 'route', 'add', 'default', 'via', `${network}.1`)
    this.#networks.set(inner, network)
    this.#links += 1
  }

  /** A machine with an address of its own, no router between. */
  machine(name: string): string {
    const namespace = this.#add(name)
    this.#connect(namespace, this.internet, `198.18.${this.#links}`, 'wan')
    return namespace
  }

  /** A machine behind its own masquerading router, which lets nothing in that nobody inside asked for. */
  home(name: string): string {
    const router = this.#add(`${name}-router`)
    this.#connect(router, this.internet, `198.18.${this.#links}`, 'wan')
    this.#in(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    this.#in(router, 'iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'wan', '-j', 'MASQUERADE')
    this.#in(router, 'iptables', '-A', 'INPUT', '-i', 'wan', '-j', 'DROP')
    const established = ['-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT'] as const
    this.#in(router, 'iptables', '-A', 'FORWARD', '-i', 'wan', ...established)
    this.#in(router, 'iptables', '-A', 'FORWARD', '-i', 'wan', '-j', 'DROP')
    const home = this.#add(name)
    this.#connect(home, router, `192.168.${this.#links}`, 'lan')
    return home
  }

  /** Lets only what goes to the relay through: browsers cannot reach each other by any protocol. */
  forbidDirect(): void {
    this.#in(this.internet, 'iptables', '-A', 'FORWARD', '-j', 'DROP')
  }

  /** Takes it all down; whatever runs inside must have ended. */
  remove(): void {
    this.#names?.kill('SIGKILL')
    for (const namespace of this.#namespaces.toReversed()) {
      spawnSync('ip', ['netns', 'del', namespace])
      rmSync(`/etc/netns/${namespace}`, { recursive: true, force: true })
    }
  }
}

/** An executable file that starts the browser inside a namespace. */
export const browserIn = async (namespace: string, file: string): Promise<string> => {
  await writeFile(file, `#!/bin/sh\nexec ip netns exec ${namespace} ${installedBrowser() ?? 'chromium'} "$@"\n`)
  await chmod(file, 0o755)
  return file
}
