import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/**
 * The built app, read into memory once. A request is looked up by its exact path in that table and never becomes a path of
 * the file system, so there is nothing to traverse.
 */
export interface StaticApp {
  /** Answers when the path is one of the app's; false otherwise. */
  serve(pathname: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

/** There is no app to serve; the message is a sentence for the operator. */
export class AppMissing extends Error {
  override readonly name = 'AppMissing'
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

const compressible = /^(?:text\/|application\/(?:json|manifest|wasm)|image\/svg)/
/** Below this a compressed answer saves nothing. */
const minCompressedBytes = 1_024

const brotli = promisify(brotliCompress)
const compressors = {
  // 9 of 11: the last two levels cost seconds for a percent.
  br: (data: Buffer) => brotli(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: promisify<Buffer, Buffer>(gzip),
} as const
type Encoding = keyof typeof compressors

/** Vite puts a hash of the content into these names, so they never change. */
const hashed = /^\/assets\/.+-[\w-]{8,}\.\w+$/

class Asset {
  readonly #data: Buffer
  readonly #type: string
  readonly #etag: string
  readonly #cacheControl: string
  /** Compressed on first use, then kept. */
  readonly #compressed = new Map<Encoding, Promise<Buffer>>()

  constructor(pathname: string, data: Buffer) {
    this.#data = data
    this.#type = contentTypes[extname(pathname)] ?? 'application/octet-stream'
    this.#etag = createHash('sha256').update(data).digest('base64url').slice(0, 22)
    this.#cacheControl = hashed.test(pathname) ? 'public, max-age=31536000, immutable' : 'no-cache'
  }

  async send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = this.#encodingFor(request)
    const etag = `"${this.#etag}${encoding ? `-${encoding}` : ''}"`
    response.setHeader('Content-Type', this.#type)
    response.setHeader('Cache-Control', this.#cacheControl)
    response.setHeader('ETag', etag)
    response.setHeader('Vary', 'Accept-Encoding')
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end()
      return
    }
    const body = encoding ? await this.#compress(encoding) : this.#data
    if (encoding) response.setHeader('Content-Encoding', encoding)
    response.writeHead(200, { 'Content-Length': body.length }).end(request.method === 'HEAD' ? undefined : body)
  }

  #encodingFor(request: IncomingMessage): Encoding | undefined {
    if (!compressible.test(this.#type) || this.#data.length < minCompressedBytes) return undefined
    const accepted = (request.headers['accept-encoding'] ?? '')
      .split(',')
      .filter((item) => !/;\s*q=0(?:\.0*)?\s*$/.test(item))
      .map((item) => item.split(';')[0]?.trim())
    return (['br', 'gzip'] as const).find((encoding) => accepted.includes(encoding))
  }

  #compress(encoding: Encoding): Promise<Buffer> {
    let compressed = this.#compressed.get(encoding)
    if (!compressed) {
      compressed = compressors[encoding](this.#data)
      this.#compressed.set(encoding, compressed)
    }
    return compressed
  }
}

/** Reads the built app. Only plain files count: links are left out. @throws AppMissing when there is no `index.html`. */
export const loadStaticApp = async (directory: string): Promise<StaticApp> => {
  const assets = new Map<string, Asset>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const path = join(entry.parentPath, entry.name)
    const pathname = `/${relative(directory, path).split(sep).join('/')}`
    // Vite's manifest is for the build's own checks.
    if (!entry.isFile() || pathname.includes('/.')) continue
    assets.set(pathname, new Asset(pathname, await readFile(path)))
  }
  const index = assets.get('/index.html')
  if (!index) {
    throw new AppMissing(
      `There is no built app in ${directory}. Build it with npm run build, or start the relay alone with --no-app.`,
    )
  }
  assets.set('/', index)
  return {
    serve: async (pathname, request, response) => {
      const asset = assets.get(pathname)
      await asset?.send(request, response)
      return asset !== undefined
    },
  }
}
