/** 150 ms between two looks: quick for a person, light on a phone's battery. */
const pauseMs = 150
/** Frames are read at 1,280 pixels or less: an invite's code has more than a hundred modules a side. */
const longestSidePx = 1_280

/** A photograph is searched longer than a frame, of which the next one may be better: 1.5 s, once. */
const pictureTimeMs = 1_500
/** And at up to 2,048 pixels: the code may be a small part of it. */
const pictureSidePx = 2_048

type Reader = (source: HTMLCanvasElement, timeLimit?: number) => string | undefined

/** One character for each byte of a code: the safety number's are no text, and an invite's are ASCII. */
const byteText = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** The decoder is loaded on first use. The system's own detector exists in too few browsers to lean on. */
const loadReader = async (): Promise<Reader> => {
  const { decodeQR } = await import('qr/decode.js')
  return (source, timeLimit) => {
    const pixels = source.getContext('2d')?.getImageData(0, 0, source.width, source.height)
    if (pixels === undefined) return undefined
    try {
      return decodeQR(pixels, { textDecoder: byteText, ...(timeLimit === undefined ? {} : { timeLimit }) })
    } catch {
      // No code in it: the normal case.
      return undefined
    }
  }
}

/** Draws onto the canvas, its longest side at most `longest` pixels. False when there is nothing to draw. */
const draw = (
  canvas: HTMLCanvasElement,
  source: CanvasImageSource,
  [width, height, longest]: readonly [width: number, height: number, longest: number],
): boolean => {
  const scale = Math.min(1, longest / Math.max(width, height))
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  if (canvas.width === 0) return false
  canvas.getContext('2d', { willReadFrequently: true })?.drawImage(source, 0, 0, canvas.width, canvas.height)
  return true
}

const frameOf = (video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean =>
  draw(canvas, video, [video.videoWidth, video.videoHeight, longestSidePx])

/** The code in a picture, one character per byte; undefined when there is none, or it is no picture. */
export const readPicture = async (file: Blob, canvas: HTMLCanvasElement): Promise<string | undefined> => {
  const read = await loadReader()
  const picture = await createImageBitmap(file).catch(() => undefined)
  if (picture === undefined) return undefined
  const drawn = draw(canvas, picture, [picture.width, picture.height, pictureSidePx])
  picture.close()
  return drawn ? read(canvas, pictureTimeMs) : undefined
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pauseMs))

/**
 * Looks at a playing video until a code is found that `accept` takes, or until `signal` is aborted. `canvas` is scratch
 * space. Rejects only when the decoder cannot be loaded.
 */
export const readCodes = async (
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  accept: (text: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> => {
  const read = await loadReader()
  let refused: string | undefined
  while (!signal.aborted) {
    const text = frameOf(video, canvas) ? read(canvas) : undefined
    if (text !== undefined && text !== refused) {
      if (await accept(text)) return
      refused = text
    }
    await pause()
  }
}
