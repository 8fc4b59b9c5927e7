import 'reflect-metadata'
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomBytes, webcrypto } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'
import { base64url } from 'multiformats/bases/base64'
import { sha256 } from 'multiformats/hashes/sha2'
import type { WebRtcCertificate } from '../../signaling/host/relay.ts'
import { dayMs } from '../../protocol/wire/limits.ts'

/**
 * The relay's folder: identity key, webrtc-direct certificate, database. Nobody but the relay's own user can read it (folder
 * 0700, files 0600). No name in it comes from a client.
 */
export interface DataDirectory {
  /** Ed25519 seed of the relay's peer key, 32 bytes. */
  readonly seed: Uint8Array
  /** Kept for ten years: its hash is part of every address people hold. */
  readonly certificate: WebRtcCertificate
  readonly databasePath: string
}

/** The folder or a file in it is not usable; the message is a sentence for the operator. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
}

const filePaths = (directory: string) => ({
  identity: join(directory, 'identity.key'),
  certificate: join(directory, 'webrtc-certificate.json'),
  database: join(directory, 'relay.sqlite'),
})

/** Opens the folder, making it and what it holds when absent. @throws DataDirectoryError. */
export const openDataDirectory = async (directory: string): Promise<DataDirectory> => {
  const paths = filePaths(directory)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
  } catch (cause) {
    throw new DataDirectoryError(
      `The data directory ${directory} cannot be made or is not ours; choose another with --data.`,
      { cause },
    )
  }
  const seed = readOrNull(paths.identity) ?? writeDurably(paths.identity, randomBytes(32))
  if (seed.length !== 32) {
    throw new DataDirectoryError(
      `${paths.identity} does not hold a key. Restore it from a backup; a new key makes a new relay.`,
    )
  }
  const stored = readOrNull(paths.certificate)
  const certificate = stored ? parseCertificate(stored, paths.certificate) : await createCertificate()
  if (!stored) writeDurably(paths.certificate, Buffer.from(JSON.stringify(certificate)))
  return { seed: new Uint8Array(seed), certificate, databasePath: paths.database }
}

const readOrNull = (path: string): Buffer | null => {
  try {
    const data = readFileSync(path)
    chmodSync(path, 0o600)
    return data
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new DataDirectoryError(`${path} cannot be read; check who owns it.`, { cause })
  }
}

/** Written beside, synced, then renamed: after a power cut there is the whole file or none. */
const writeDurably = (path: string, data: Buffer): Buffer => {
  try {
    const file = openSync(`${path}.new`, 'w', 0o600)
    writeSync(file, data)
    fsyncSync(file)
    closeSync(file)
    renameSync(`${path}.new`, path)
    const folder = openSync(dirname(path), 'r')
    fsyncSync(folder)
    closeSync(folder)
    return data
  } catch (cause) {
    throw new DataDirectoryError(`${path} cannot be written; check free space and permissions.`, { cause })
  }
}

const parseCertificate = (data: Buffer, path: string): WebRtcCertificate => {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'))
    const { privateKey, pem, certhash } = value as Record<string, unknown>
    if (typeof privateKey === 'string' && typeof pem === 'string' && typeof certhash === 'string') {
      return { privateKey, pem, certhash }
    }
  } catch {
    // Falls through to the same sentence.
  }
  throw new DataDirectoryError(
    `${path} is damaged. Restore it from a backup, or delete it: webrtc-direct addresses then change.`,
  )
}

/** Ten years: longer than a relay's hardware. Browsers check the hash, not the dates. */
const certificateDays = 3_650

const createCertificate = async (): Promise<WebRtcCertificate> => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=relay',
      // A day back: clocks of visitors may be behind.
      notBefore: new Date(now - dayMs),
      notAfter: new Date(now + certificateDays * dayMs),
      signingAlgorithm: algorithm,
      keys,
    },
    // Said outright: the library's default is an implementation that does not accept Node's keys.
    webcrypto,
  )
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const digest = await sha256.digest(new Uint8Array(certificate.rawData))
  return {
    privateKey: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`,
    pem: certificate.toString('pem'),
    certhash: base64url.encode(digest.bytes),
  }
}
